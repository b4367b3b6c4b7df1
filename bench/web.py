"""The server beside getdango's in one run: requests a second, sign-ins at once, memory. Called by web.sh."""

import datetime
import http.client
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from measure import tree
from peers import QUIET, free_port

HERE = Path(__file__).resolve().parent
WORK = Path(sys.argv[1]).resolve()
DANGO = Path(os.environ["CARGO_TARGET_DIR"]) / "release" / "dango"
GETDANGO = WORK / "getdango" / "bin" / "dango"
EMAIL, PASSWORD = "admin@example.com", "Peer-bench-2026!"
SECONDS = int(os.environ.get("SECONDS_A_POINT", "5"))
CONNECTIONS = (1, 16, 64)


class Server:
    """A server with one admin, his cookie and a token of his."""

    def __init__(self, name, prepare, command, token_path, token_field, environment):
        self.name, self.folder, self.port = name, WORK / f"web-{name}", free_port()
        shutil.rmtree(self.folder, ignore_errors=True)
        prepare(self.folder, self.port)
        self.log = open(WORK / f"web-{name}.log", "w")
        self.process = subprocess.Popen(
            [*map(str, command), "--port", str(self.port)], cwd=self.folder, env=QUIET | environment,
            stdout=self.log, stderr=self.log, start_new_session=True)
        self.wait()
        time.sleep(5)
        self.idle_mb = self.resident_mb()
        status, headers, _ = self.login()
        assert status == 200, f"{name}: sign-in answered {status}; see {self.log.name}"
        self.cookie = next(value.split(";")[0] for key, value in headers if key.lower() == "set-cookie")
        status, _, body = self.ask("POST", token_path, {"name": "bench"}, {"Cookie": self.cookie})
        assert status in (200, 201), f"{name}: no token: {status} {body}"
        self.token = json.loads(body)[token_field]

    def wait(self):
        for _ in range(600):
            try:
                if self.ask("GET", "/login")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{self.name} does not start; see {self.log.name}")

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        sent = {"Content-Type": "application/json", "X-Requested-With": "bench", "Sec-Fetch-Site": "same-origin"} | (headers or {})
        connection.request(method, path, json.dumps(body) if body is not None else None, sent)
        answer = connection.getresponse()
        read = answer.status, answer.getheaders(), answer.read()
        connection.close()
        return read

    def login(self):
        return self.ask("POST", "/api/auth/login", {"email": EMAIL, "password": PASSWORD})

    def resident_mb(self):
        return round(sum(size for _, size in tree(self.process.pid)), 1)

    def load(self, connections, header):
        """Returns (requests a second, p99 in ms) of GET /api/auth/me."""
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "30s", "--latency", "-H", header,
             f"http://127.0.0.1:{self.port}/api/auth/me"], check=True, capture_output=True, text=True).stdout
        assert "Non-2xx" not in out and "Socket errors" not in out, f"{self.name}: {out}"
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
        value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
        return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]

    def crowd(self, number):
        """Signs in `number` at once; returns the latencies of those let in and of one who reads meanwhile, in ms, every status, and
        the peak in MB."""
        latencies, meanwhile, statuses, peak = [], [], [], [0.0]
        over, gate = threading.Event(), threading.Barrier(number + 1)

        def enter():
            gate.wait()
            began = time.monotonic()
            status = self.login()[0]
            statuses.append(status)
            if status == 200:
                latencies.append((time.monotonic() - began) * 1000)

        def read():
            while not over.is_set():
                began = time.monotonic()
                self.ask("GET", "/api/auth/me", headers={"Cookie": self.cookie})
                meanwhile.append((time.monotonic() - began) * 1000)
                time.sleep(0.005)

        def watch():
            while not over.wait(0.02):
                peak[0] = max(peak[0], self.resident_mb())

        others = [threading.Thread(target=act) for act in (read, watch)]
        people = [threading.Thread(target=enter) for _ in range(number)]
        for thread in (*others, *people):
            thread.start()
        gate.wait()
        for thread in people:
            thread.join()
        over.set()
        for thread in others:
            thread.join()
        return sorted(latencies), sorted(meanwhile), statuses, peak[0]

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def prepare_ours(folder, port):
    folder.mkdir()
    command = [DANGO, "init", "--no-input", "--admin-email", EMAIL, "--admin-password-stdin"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, input=PASSWORD.encode() + b"\n")
    with open(folder / ".dango/project.yml", "a") as settings:
        # The limits would answer a load test; getdango's are off for a client of the machine as well.
        settings.write("\nauth: {rate_limit: {enabled: false}}\n")


def prepare_getdango(folder, port):
    environment = QUIET | {"DANGO_ADMIN_EMAIL": EMAIL, "DANGO_ADMIN_PASSWORD": PASSWORD}
    subprocess.run([GETDANGO, "init", folder.name, "--skip-wizard"], cwd=folder.parent, check=True, env=environment, capture_output=True)


def at(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


rows = []


def row(what, theirs, ours, unit, more_is_better):
    ratio = ours / theirs if more_is_better else theirs / ours
    rows.append((what, theirs, ours, unit, ratio))
    print(f"{what}: getdango {theirs:.1f} {unit}, Dango {ours:.1f} {unit}, {ratio:.1f} times better", flush=True)


def main():
    folder = str(WORK / "web-getdango")
    peer = Server("getdango", prepare_getdango, [GETDANGO, "web", "--host", "127.0.0.1"], "/api/auth/api-keys", "key",
                  {"DANGO_PROJECT_ROOT": folder})
    ours = Server("ours", prepare_ours, [DANGO, "serve"], "/api/auth/api-tokens", "token", {})
    try:
        row("idle resident memory", peer.idle_mb, ours.idle_mb, "MB", False)
        for connections in CONNECTIONS:
            for who, header in (("session", lambda it: f"Cookie: {it.cookie}"), ("token", lambda it: f"Authorization: Bearer {it.token}")):
                theirs, mine = peer.load(connections, header(peer)), ours.load(connections, header(ours))
                row(f"GET /api/auth/me, {who}, {connections} connections", theirs[0], mine[0], "requests/s", True)
                row(f"GET /api/auth/me, {who}, {connections} connections, p99", theirs[1], mine[1], "ms", False)
        row("resident memory after that", peer.resident_mb(), ours.resident_mb(), "MB", False)
        for number in (20, 200):
            theirs, mine = peer.crowd(number), ours.crowd(number)
            for who, statuses in (("getdango", theirs[2]), ("Dango", mine[2])):
                counts = {status: statuses.count(status) for status in sorted(set(statuses))}
                print(f"{number} sign-ins at once, {who}: answers {counts}", flush=True)
            row(f"{number} sign-ins at once, let in", theirs[2].count(200), mine[2].count(200), "people", True)
            row(f"{number} sign-ins at once, median", statistics.median(theirs[0]), statistics.median(mine[0]), "ms", False)
            row(f"{number} sign-ins at once, slowest", theirs[0][-1], mine[0][-1], "ms", False)
            row(f"{number} sign-ins at once, p99 of somebody who reads", at(theirs[1], 0.99), at(mine[1], 0.99), "ms", False)
            row(f"{number} sign-ins at once, peak memory", theirs[3], mine[3], "MB", False)
    finally:
        peer.stop()
        ours.stop()
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    text = (f"# The server, last measured\n\n{datetime.date.today()}, {os.cpu_count()} cores ({cpu}), {platform.system()} "
            f"{platform.release()}; wrk with one thread on the same machine, {SECONDS} s a point, both servers in one run.\n\n"
            "| what | getdango | Dango | unit | times better |\n|---|--:|--:|---|--:|\n")
    text += "".join(f"| {what} | {theirs:.1f} | {mine:.1f} | {unit} | {ratio:.1f} |\n" for what, theirs, mine, unit, ratio in rows)
    (HERE / "web.md").write_text(text)


main()
