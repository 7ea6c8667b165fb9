// A module that exports nothing.
int no_tasks() { return 0; }
