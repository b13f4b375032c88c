"""What the measuring programs share: a mesh of local mode, and what the kernel and the metrics pages say of its processes."""
import os, pathlib, re, shutil, subprocess, sys, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def need(*tools):
    for tool in tools:
        if not shutil.which(tool):
            sys.exit(f"perf: {tool} is missing. Install with: sudo apt-get install wrk iperf3 nginx-light nghttp2-client nghttp2-server openssl")


def culvert(state, *words, check=True, timeout=300, env=None):
    done = subprocess.run([str(ROOT / "culvert"), *words[:1], f"--state={state}", *words[1:]], capture_output=True, text=True,
                          timeout=timeout, env={**os.environ, **(env or {})})
    if check and done.returncode != 0:
        sys.exit(f"perf: culvert {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def start_inside(state, pod, command, output):
    """A process in a pod that runs on; its output goes to a file."""
    with open(output, "w") as file:
        return subprocess.Popen([str(ROOT / "culvert"), "exec", f"--state={state}", pod, "--", *command], stdout=file,
                                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)


def make_folder(folder, files="mesh"):
    """A copy of a mesh of perf/, with an nginx configuration of its own."""
    shutil.copytree(ROOT / "perf" / files, folder)
    nginx = folder / "nginx.conf"
    large = "set $k '" + "0123456789abcdef" * 64 + "';"
    nginx.write_text((ROOT / "perf/nginx.conf").read_text().replace("PID_FILE", str(folder / "nginx.pid"))
                     .replace("LARGE", large + ' return 200 "' + "$k" * 64 + '";'))
    pods = folder / "pods.yaml"
    pods.write_text(pods.read_text().replace("NGINX_CONF", str(nginx)).replace("FOLDER", str(folder)))


def capture(folder):
    namespace = folder / "namespace.yaml"
    namespace.write_text(namespace.read_text().replace("{}", "{istio.io/dataplane-mode: ambient}"))


def address(state, pod, captured):
    """A pod's address, once as many pods as are said are captured."""
    deadline = time.time() + 60
    while time.time() < deadline:
        if culvert(state, "status", check=False).count("enabled") >= captured:
            return re.search(r"198\.18\.\d+\.\d+", (state / f"objects/pod-perf-{pod}.yaml").read_text()).group(0)
        time.sleep(0.5)
    sys.exit("perf: the pods were not captured")


def ztunnels(state):
    """PIDs of a mesh's node proxies by node."""
    return {env["NODE_NAME"]: pid for pid, env in proxies(str(state) + "/", "ztunnel")}


def waypoint(state):
    """The PID of a mesh's waypoint of the name waypoint."""
    return next(pid for pid, env in proxies("/run/culvert/", "waypoint") if env.get("XDS_ROOT_CA", "").startswith(f"{state}/"))


def proxies(kept, account):
    """PIDs and environments of proxies, whatever program they are, by what they were given: sorted by node."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            environment = dict(v.split("=", 1) for v in (process / "environ").read_text().split("\0") if "=" in v)
            ended = stat(process.name)[0] == "Z"
        except (OSError, UnicodeDecodeError):
            continue
        if not ended and environment.get("CULVERT_STATE_DIR", "").startswith(kept) and environment.get("SERVICE_ACCOUNT") == account:
            found.append((int(process.name), environment))
    return sorted(found, key=lambda one: one[1]["NODE_NAME"])


def stat(pid):
    """The fields of the kernel's stat from the third on."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu(pids):
    """Seconds."""
    return sum(int(field) for pid in pids for field in stat(pid)[11:13]) / TICK


def pss(pid):
    """MiB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return round(int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1)) / 1024, 1)


def rss(pid):
    """MiB."""
    return round(int(stat(pid)[21]) * PAGE / 2**20, 1)


def metrics(pid, port=15020):
    """A process's metrics page by name, the values of all labels added up; empty where there is none."""
    get = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{port}/metrics', timeout=5).read().decode())"
    enter = ["nsenter", f"--target={pid}", "--net"]
    if os.readlink("/proc/self/ns/user") != os.readlink(f"/proc/{pid}/ns/user"):
        enter += ["--user", "--preserve-credentials"]
    page = subprocess.run([*enter, "python3", "-c", get], capture_output=True, text=True)
    sums = {}
    for line in page.stdout.split("\n"):
        sample = re.match(r"(\w+)(?:\{.*\})? (\S+)$", line)
        if sample:
            sums[sample.group(1)] = sums.get(sample.group(1), 0) + float(sample.group(2))
    return sums


def seconds(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[unit]
