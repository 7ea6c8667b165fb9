// expect: a task cannot return a pointer: return the object itself
#include <procpool/procpool.hpp>

int* find(int key);

int main() {
  procpool::Pool pool;
  pool.submit(find, 1);
}
