"""Whether the time of an answer tells what nobody should learn: bench/timing.sh. Two kinds of request are sent in random order,
at least 2,000 of each; a clock that tells them apart would give the one kind the smaller times more often than not."""

import datetime
import http.client
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from peers import free_port

HERE = Path(__file__).resolve().parent
WORK = Path(sys.argv[1]).resolve()
SEED = int(os.environ.get("SEED", "1"))
SAMPLES = int(os.environ.get("SAMPLES", "2000"))
DANGO = Path(os.environ["CARGO_TARGET_DIR"]) / "release" / "dango"
EMAIL, PASSWORD = "admin@example.com", "a password for the bench 2026"
# An account takes 100 guesses from all addresses together; each guess comes from an address of its own.
GUESSES = 80
rng = random.Random(SEED)


class Server:
    def __init__(self):
        self.folder, self.port, self.number = WORK / "timing", free_port(), 0
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        command = [DANGO, "init", "--no-input", "--admin-email", EMAIL, "--admin-password-stdin"]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, input=PASSWORD.encode() + b"\n")
        with open(self.folder / ".dango/project.yml", "a") as settings:
            settings.write("\nauth: {rate_limit: {enabled: false}}\n")
        log = open(WORK / "timing.log", "w")
        self.process = subprocess.Popen([DANGO, "serve", "--port", str(self.port)], cwd=self.folder, stdout=log, stderr=log)
        for _ in range(400):
            try:
                if self.ask("GET", "/login")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"the server does not start; see {log.name}")

    def ask(self, method, path, body=None, headers=None):
        """Returns (status, headers, body, seconds). Each request comes from an address of the machine's own network."""
        self.number += 1
        source = f"127.{1 + self.number // 62500}.{self.number // 250 % 250}.{1 + self.number % 250}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60, source_address=(source, 0))
        connection.connect()
        sent = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"} | (headers or {})
        text = json.dumps(body) if body is not None else None
        began = time.perf_counter()
        connection.request(method, path, text, sent)
        answer = connection.getresponse()
        read = answer.read()
        took = time.perf_counter() - began
        connection.close()
        return answer.status, answer.getheaders(), read, took

    def post(self, path, body, **headers):
        status, set_, read, _ = self.ask("POST", path, body, headers)
        assert status in (200, 201), f"{path}: {status} {read}"
        return set_, json.loads(read)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


def compare(name, first, second, expect):
    """`first` and `second` are functions of a number that give (status, seconds). Returns the statistics of both."""
    order = [(kind, number) for kind in (0, 1) for number in range(SAMPLES)]
    rng.shuffle(order)
    times = ([], [])
    for kind, number in order:
        status, took = (first, second)[kind](number)
        assert status == expect, f"{name}: {status} instead of {expect}"
        times[kind].append(took * 1000)
    # Mann-Whitney's U as the probability that a time of the first kind is the smaller one.
    ranked = sorted((took, kind) for kind in (0, 1) for took in times[kind])
    rank_sum = sum(rank for rank, (_, kind) in enumerate(ranked, 1) if kind == 0)
    u = rank_sum - SAMPLES * (SAMPLES + 1) / 2
    smaller = 1 - u / (SAMPLES * SAMPLES)
    error = math.sqrt((2 * SAMPLES + 1) / (12 * SAMPLES * SAMPLES))
    z = (smaller - 0.5) / error
    cut = [sorted(values)[: int(len(values) * 0.95)] for values in times]
    means = [statistics.fmean(values) for values in cut]
    welch = (means[0] - means[1]) / math.sqrt(sum(statistics.variance(values) / len(values) for values in cut))
    medians = [statistics.median(values) for values in times]
    row = f"| {name} | {medians[0]:.3f} | {medians[1]:.3f} | {smaller:.3f} | {z:+.2f} | {welch:+.2f} |"
    print(row, flush=True)
    return row


def main():
    server = Server()
    try:
        headers, _ = server.post("/api/auth/login", {"email": EMAIL, "password": PASSWORD})
        cookie = next(value.split(";")[0] for key, value in headers if key.lower() == "set-cookie" and value.startswith("dap-jwt"))
        people = []
        for number in range(-(-SAMPLES // GUESSES)):
            address = f"person{number}@example.com"
            _, invited = server.post("/api/admin/users", {"email": address, "role": "viewer"}, Cookie=cookie)
            token = invited["invite_url"].rsplit("/", 1)[1]
            server.post("/api/auth/accept-invite", {"token": token, "password": PASSWORD})
            people.append(address)
        _, made = server.post("/api/auth/api-tokens", {"name": "timing"}, Cookie=cookie)
        token = made["token"]
        letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
        some = lambda count: "".join(rng.choices(letters, k=count))

        def sign_in(address):
            status, _, _, took = server.ask("POST", "/api/auth/login", {"email": address, "password": "not this one at all"})
            return status, took

        def forget(address):
            status, _, _, took = server.ask("POST", "/api/auth/forgot-password", {"email": address})
            return status, took

        def bearer(text):
            status, _, _, took = server.ask("GET", "/api/auth/me", headers={"Authorization": f"Bearer {text}"})
            return status, took

        shown = len("dap_") + 8
        rows = [
            compare("sign-in: an account, nobody's address", lambda n: sign_in(people[n % len(people)]),
                    lambda n: sign_in(f"nobody{n % len(people)}@example.com"), 400),
            compare("API token: right prefix, wrong prefix", lambda n: bearer(token[:shown] + some(len(token) - shown)),
                    lambda n: bearer("dap_" + some(len(token) - 4)), 401),
            compare("forgotten password: an account, nobody's address", lambda n: forget(people[n % len(people)]),
                    lambda n: forget(f"nobody{n % len(people)}@example.com"), 202),
        ]
    finally:
        server.stop()
    text = (f"# What time tells, last measured\n\n{datetime.date.today()}, seed {SEED}, {SAMPLES} requests of each kind in random "
            "order, over loopback, a connection each. The fourth column is the share of pairs in which the first kind answers "
            "sooner (0.5: time tells nothing); z and Welch's t (without the slowest 5 %) within ±3 are chance.\n\n"
            "| first kind, second kind | median ms | median ms | first sooner | z | t |\n|---|--:|--:|--:|--:|--:|\n")
    (HERE / "timing.md").write_text(text + "\n".join(rows) + "\n")


main()
