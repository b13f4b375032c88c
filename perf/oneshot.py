"""Many connections at once, each for one request. Usage: oneshot.py ADDRESS PORT HOST COUNT"""
import re, resource, selectors, socket, sys, time

address, port, host, count = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, max(count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
selector = selectors.EpollSelector()
begin = time.time()
errors = {}


def failed(why):
    errors[why] = errors.get(why, 0) + 1


def wait(what, done):
    """Until all are done, or for two minutes."""
    open_, until = count - sum(errors.values()), time.time() + 120
    while open_ and time.time() < until:
        for key, _ in selector.select(1):
            try:
                finished = done(key.fileobj)
            except OSError as e:
                failed(f"{what}: {e}")
                finished = True
            if finished:
                selector.unregister(key.fileobj)
                open_ -= 1
    for key in list(selector.get_map().values()):
        selector.unregister(key.fileobj)
        failed(f"{what}: nothing for two minutes")


def connected(one):
    code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, "refused")
    ready.append(one)
    return True


def whole(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return length is not None and len(body) >= int(length.group(1))


def answered(one):
    global reset
    try:
        data = one.recv(65536)
    except ConnectionResetError:
        if not whole(answers.get(one, b"")):
            raise
        data, reset = b"", reset + 1
    answers[one] = answers.get(one, b"") + data
    if not data and b" 200 " not in answers[one][:20]:
        raise OSError(0, repr(answers[one][:40]))
    return not data


ready, answers, reset = [], {}, 0
for _ in range(count):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex((address, port))
    selector.register(one, selectors.EVENT_WRITE)
wait("connect", connected)
opened = time.time()
for one in ready:
    try:
        one.send(request)
        selector.register(one, selectors.EVENT_READ)
    except OSError as e:
        failed(f"send: {e}")
wait("answer", answered)
print(f"{len(ready)} open in {opened - begin:.1f} s, {count - sum(errors.values())} answered in {time.time() - opened:.1f} s; {reset} ended by a reset after it; errors: {errors or 'none'}")
