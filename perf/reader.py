"""The parts of perf/readers that run in pods.

python3 reader.py serve                                8081: answers each KB with a KB; 8082: sends until nobody reads
python3 reader.py read ADDRESS COUNT RATE SECONDS      COUNT connections, each taking RATE bytes a second
python3 reader.py ping ADDRESS SECONDS                 a KB and its answer every 10 ms over one connection
"""
import json, socket, sys, threading, time

KB = 1024


def serve():
    def accept(port, each):
        listener = socket.create_server(("0.0.0.0", port), backlog=64)
        while True:
            threading.Thread(target=guarded, args=(each, listener.accept()[0]), daemon=True).start()

    def guarded(each, connection):
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                each(connection)
        except OSError:
            pass  # the reader has gone

    def pong(connection):
        while receive(connection, KB):
            connection.sendall(b"x" * KB)

    def send(connection):
        block = b"x" * 65536
        while True:
            connection.sendall(block)

    threading.Thread(target=accept, args=(8081, pong), daemon=True).start()
    accept(8082, send)


def receive(connection, count):
    got = 0
    while got < count:
        read = connection.recv(count - got)
        if not read:
            return False
        got += len(read)
    return True


def read(address, count, rate, seconds):
    """One thread takes turns: every 50 ms each connection may take what its rate allows."""
    connections = [socket.create_connection((address, 8082), timeout=10) for _ in range(int(count))]
    results = [{"bytes": 0, "failure": None} for _ in connections]
    for connection in connections:
        connection.setblocking(False)
    start, rate = time.monotonic(), float(rate)
    while time.monotonic() - start < float(seconds):
        may = (time.monotonic() - start) * rate
        for connection, result in zip(connections, results):
            take(connection, result, int(may) - result["bytes"])
        time.sleep(0.05)
    print(json.dumps(results))


def take(connection, result, count):
    while count > 0 and result["failure"] is None:
        try:
            got = len(connection.recv(min(count, 65536)))
            if got == 0:
                result["failure"] = "ended"
        except BlockingIOError:
            return
        except OSError as problem:
            got, result["failure"] = 0, str(problem)
        result["bytes"] += got
        count -= got


def ping(address, seconds):
    result = {"ms": [], "failed": None}
    try:
        connection = socket.create_connection((address, 8081), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            before = time.monotonic()
            connection.sendall(b"x" * KB)
            if not receive(connection, KB):
                raise ConnectionError("ended")
            result["ms"].append(round((time.monotonic() - before) * 1e3, 3))
            time.sleep(0.01)
    except OSError as problem:
        result["failed"] = str(problem)
    print(json.dumps(result))


{"serve": serve, "read": read, "ping": ping}[sys.argv[1]](*sys.argv[2:])
