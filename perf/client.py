"""What runs in pods that the measuring programs make. Counts go to a file, a line of JSON every few seconds.

python3 client.py hold FILE ADDRESS COUNT PAUSE      keeps COUNT connections open, asks over each once in PAUSE seconds
python3 client.py pod FILE ADDRESS SERVICE           answers on 8080; asks ADDRESS over one kept connection (10 a second) and a
                                                     new one (1 a second), and SERVICE over a new one (1 a second)
"""
import json, pathlib, selectors, socket, sys, threading, time

REQUEST = b"GET / HTTP/1.1\r\nHost: perf\r\n\r\n"


class Counts:
    """Requests and failures by kind; the first failures with their time and reason."""

    def __init__(self, file):
        self.file, self.counts, self.lock, self.shown = pathlib.Path(file), {}, threading.Lock(), 0

    def add(self, kind, reason=None):
        with self.lock:
            counts = self.counts.setdefault(kind, [0, 0])
            counts[0] += 1
            if reason is not None:
                counts[1] += 1
                self.shown += 1
                if self.shown <= 1000:
                    with self.file.with_suffix(".failures").open("a") as file:
                        file.write(f"{time.time():.1f} {kind} {reason}\n")

    def save(self):
        with self.lock:
            fresh = self.file.with_suffix(".new")
            fresh.write_text(json.dumps(self.counts) + "\n")
            fresh.replace(self.file)


def connect(address):
    connection = socket.create_connection((address, 8080), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(connection):
    connection.sendall(REQUEST)
    answer = b""
    while b"\r\n\r\n" not in answer or len(answer.split(b"\r\n\r\n", 1)[1]) < length(answer):
        read = connection.recv(65536)
        if not read:
            raise ConnectionError(f"ended after {len(answer)} bytes of an answer")
        answer += read
    if not answer.startswith(b"HTTP/1.1 200"):
        raise ConnectionError(f"answered {answer[:40]!r}")


def length(answer):
    head = answer.split(b"\r\n\r\n", 1)[0].lower()
    return int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])


class Kept:
    """One connection that stays open; after a failure a new one."""

    def __init__(self, counts, kind, address):
        self.counts, self.kind, self.address, self.connection = counts, kind, address, None

    def ask(self):
        try:
            if self.connection is None:
                self.connection = connect(self.address)
            ask(self.connection)
            self.counts.add(self.kind)
        except OSError as problem:
            self.counts.add(self.kind, problem)
            self.close()

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def hold(counts, address, count, pause):
    connections = [Kept(counts, "held open", address) for _ in range(int(count))]
    while True:
        for connection in connections:
            connection.ask()
            time.sleep(float(pause) / len(connections))
        counts.save()


def answer_all():
    """A server of one thread: keep-alive, any request of one segment."""
    listener = socket.create_server(("0.0.0.0", 8080), backlog=128)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                selector.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            try:
                read = key.fileobj.recv(65536)
                if read:
                    key.fileobj.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n" * read.count(b"\r\n\r\n"))
            except OSError:
                read = b""
            if not read:
                selector.unregister(key.fileobj)
                key.fileobj.close()


def pod(counts, address, service):
    threading.Thread(target=answer_all, daemon=True).start()
    kept = Kept(counts, "visitors, kept connection", address)
    turn = 0
    while True:
        kept.ask()
        if turn % 10 == 3:
            once(counts, "visitors, new connections", address)
        if turn % 10 == 7:
            once(counts, "visitors, to visitors that may be going", service)
        if turn % 10 == 9:
            counts.save()
        turn += 1
        time.sleep(0.1)


def once(counts, kind, address):
    connection = Kept(counts, kind, address)
    connection.ask()
    connection.close()


{"hold": hold, "pod": pod}[sys.argv[1]](Counts(sys.argv[2]), *sys.argv[3:])
