"""One of Python's pools, measured from outside.

    pool_peer.py KIND WORKERS

reads requests from standard input, one a line, does each once and answers with one line: the seconds
it took. KIND: pool (multiprocessing.Pool), executor (ProcessPoolExecutor), joblib, pebble, mpi
(mpi4py.futures), dask (distributed). Exits with 3 where that is not installed.

    round_trip N      N calls of a no-op, each waited for
    submit N          N no-ops with a future each, then all of them waited for
    map N             x + 1 over N integers
    sleepless N US    N tasks of US microseconds of work
    in BYTES          a bytes object in, its sum of every 64th byte out
    out BYTES         a bytes object out, read likewise
"""

import sys
import time


def no_op():
    pass


def plus_one(x):
    return x + 1


def work(microseconds):
    end = time.perf_counter_ns() + microseconds * 1000
    while time.perf_counter_ns() < end:
        pass


def read_all(data):
    return sum(data[::64])


def make(size):
    return b"p" * size


class Pool:
    """multiprocessing.Pool, and what the others are made to look like."""

    def __init__(self, workers):
        import multiprocessing

        self.pool = multiprocessing.Pool(workers)

    def call(self, function, *arguments):
        return self.pool.apply(function, arguments)

    def submit(self, function, *arguments):
        return self.pool.apply_async(function, arguments).get

    def map(self, function, values):
        return self.pool.map(function, values)


class Executor:
    def __init__(self, workers):
        from concurrent.futures import ProcessPoolExecutor

        self.workers = workers
        self.pool = ProcessPoolExecutor(workers)

    def call(self, function, *arguments):
        return self.pool.submit(function, *arguments).result()

    def submit(self, function, *arguments):
        return self.pool.submit(function, *arguments).result

    def map(self, function, values):
        chunk = max(1, len(values) // (4 * self.workers))
        return list(self.pool.map(function, values, chunksize=chunk))


class Pebble(Executor):
    def __init__(self, workers):
        from pebble import ProcessPool

        self.workers = workers
        self.pool = ProcessPool(max_workers=workers)

    def call(self, function, *arguments):
        return self.submit(function, *arguments)()

    def submit(self, function, *arguments):
        return self.pool.schedule(function, args=arguments).result

    def map(self, function, values):
        chunk = max(1, len(values) // (4 * self.workers))
        return list(self.pool.map(function, values, chunksize=chunk).result())


class Mpi(Executor):
    def __init__(self, workers):
        from mpi4py.futures import MPIPoolExecutor

        self.workers = workers
        self.pool = MPIPoolExecutor(workers)
        self.pool.bootup()


class Joblib:
    def __init__(self, workers):
        import joblib

        self.delayed = joblib.delayed
        self.parallel = joblib.Parallel(workers)
        self.parallel.__enter__()

    def call(self, function, *arguments):
        return self.parallel([self.delayed(function)(*arguments)])[0]

    def submit(self, function, *arguments):
        raise NotImplementedError("joblib has no futures")

    def map(self, function, values):
        return self.parallel(self.delayed(function)(value) for value in values)


class Dask:
    def __init__(self, workers):
        from distributed import Client

        self.client = Client(n_workers=workers, threads_per_worker=1, dashboard_address=None)

    def call(self, function, *arguments):
        return self.client.submit(function, *arguments, pure=False).result()

    def submit(self, function, *arguments):
        return self.client.submit(function, *arguments, pure=False).result

    def map(self, function, values):
        return self.client.gather(self.client.map(function, values, pure=False))


KINDS = {
    "pool": Pool,
    "executor": Executor,
    "joblib": Joblib,
    "pebble": Pebble,
    "mpi": Mpi,
    "dask": Dask,
}


def do(pool, request, numbers):
    if request == "round_trip":
        for _ in range(numbers[0]):
            pool.call(no_op)
    elif request == "submit":
        for result in [pool.submit(no_op) for _ in range(numbers[0])]:
            result()
    elif request == "map":
        values = list(range(numbers[0]))
        start = time.perf_counter()
        result = pool.map(plus_one, values)
        seconds = time.perf_counter() - start
        assert len(result) == numbers[0] and result[-1] == numbers[0]
        return seconds
    elif request == "sleepless":
        for result in [pool.submit(work, numbers[1]) for _ in range(numbers[0])]:
            result()
    elif request == "in":
        data = make(numbers[0])
        start = time.perf_counter()
        pool.call(read_all, data)
        return time.perf_counter() - start
    elif request == "out":
        read_all(pool.call(make, numbers[0]))
    else:
        raise ValueError(request)
    return None


def main():
    try:
        pool = KINDS[sys.argv[1]](int(sys.argv[2]))
    except ImportError:
        sys.exit(3)
    print("ready", flush=True)
    for line in sys.stdin:
        request, *numbers = line.split()
        start = time.perf_counter()
        seconds = do(pool, request, [int(number) for number in numbers])
        print(time.perf_counter() - start if seconds is None else seconds, flush=True)


if __name__ == "__main__":
    main()
