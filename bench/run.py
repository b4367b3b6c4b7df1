"""The benchmark: each of our rows beside its peers in the same run. Called by run.sh."""

import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import orders
import peers
from measure import median, run
from peers import free_port

HERE = Path(__file__).resolve().parent
WORK = Path(sys.argv[1]).resolve()
ROWS = sys.argv[2:] or ["start", "csv1m", "csv5m", "postgres", "rest"]
DANGO = Path(os.environ["CARGO_TARGET_DIR"]) / "release" / "dango"
PYTHON = {name: WORK / name / "bin" / "python" for name in ("duckdb", "dlt", "getdango")}
GETDANGO = WORK / "getdango" / "bin" / "dango"
QUIET = peers.QUIET | {"DLT_DATA_DIR": str(WORK / "dlt_data")}
N = int(os.environ.get("N", "5"))
results = []


def note(row, who, measured, size=None, reference=None):
    """Keeps a result; `reference` is the result it is compared with."""
    entry = {
        "row": row, "who": who, "wall_s": round(measured.wall, 3), "cpu_s": round(measured.cpu, 3),
        "main_mb": round(measured.main_mb, 1), "children_mb": round(measured.children_mb, 1), "file_mb": size,
    }
    if reference:
        entry["wall_ratio"] = round(measured.wall / reference["wall_s"], 3)
        entry["cpu_ratio"] = round(measured.cpu / max(reference["cpu_s"], 0.001), 3)
        total = reference["main_mb"] + reference["children_mb"]
        entry["memory_ratio"] = round((measured.main_mb + measured.children_mb) / max(total, 0.1), 3)
    results.append(entry)
    print(json.dumps(entry), flush=True)
    if measured.code:
        sys.exit(f"{who} failed in {row}:\n{measured.output[-2000:]}")
    return entry


def interleaved(jobs):
    """Runs (name, prepare, command, cwd, env) jobs in turns, so that a slow moment hits all alike."""
    runs = {job[0]: [] for job in jobs}
    for _ in range(N):
        for name, prepare, command, cwd, env in jobs:
            if prepare:
                prepare()
            runs[name].append(run(command, cwd=cwd, env=env))
    return {name: median(list_) for name, list_ in runs.items()}


def megabytes(path):
    files = [Path(path), Path(str(path) + ".wal")]
    return round(sum(file.stat().st_size for file in files if file.exists()) / 1e6, 1)


def fresh(path):
    shutil.rmtree(path, ignore_errors=True)
    Path(path).mkdir(parents=True)
    return Path(path)


def our_project(name, sources, secrets=""):
    """Returns a function that makes a new project of ours, and its folder."""
    folder = WORK / f"ours-{name}"

    def prepare():
        fresh(folder)
        subprocess.run([DANGO, "init", "--no-input"], cwd=folder, check=True, capture_output=True)
        (folder / ".dango/sources.yml").write_text(sources)
        (folder / ".dlt/secrets.toml").write_text(secrets)

    return prepare, folder


def peer_project(name, sources, environment=""):
    template, folder = WORK / "getdango-template", WORK / f"getdango-{name}"
    if not template.exists():
        subprocess.run([GETDANGO, "init", str(template), "--skip-wizard"], cwd=WORK, check=True, env=QUIET, capture_output=True)
        profile = template / "dbt/profiles.yml"
        # Without a network the generated profile stops every sync at its extensions.
        kept = [line for line in profile.read_text().splitlines() if line.strip() not in ("- httpfs", "- parquet", "extensions:")]
        profile.write_text("\n".join(kept) + "\n")

    def prepare():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(template, folder, symlinks=True)
        (folder / ".dango/sources.yml").write_text(sources)
        (folder / ".env").write_text(environment)

    return prepare, folder


LOAD_ONLY = """
import sys
from pathlib import Path
from dotenv import load_dotenv
load_dotenv(Path.cwd() / ".env")
from dango.config import get_config
from dango.ingestion.dlt_runner import DltPipelineRunner
runner = DltPipelineRunner(Path.cwd())
failed = [s.name for s in get_config(Path.cwd()).sources.get_enabled_sources()
          if runner.run_source(s, None, None, False).get("status") != "success"]
sys.exit(bool(failed))
"""


def start():
    jobs = [
        ("ours", None, [DANGO, "--version"], WORK, QUIET),
        ("getdango", None, [GETDANGO, "--version"], WORK, QUIET),
    ]
    measured = interleaved(jobs)
    reference = note("start: --version", "getdango", measured["getdango"])
    note("start: --version", "ours", measured["ours"], reference=reference)


def csv(rows, label):
    data = fresh(WORK / f"csv-{rows}") if not (WORK / f"csv-{rows}/orders.csv").exists() else WORK / f"csv-{rows}"
    file = data / "orders.csv"
    if not file.exists():
        orders.main(rows, str(file))
    database = WORK / "out.duckdb"
    ctas = lambda options: [
        PYTHON["duckdb"], "-c",
        f"import duckdb; c = duckdb.connect({str(database)!r}); "
        f"c.execute(\"CREATE TABLE orders AS SELECT * FROM read_csv('{file}'{options})\"); c.close()",
    ]

    def clean():
        for path in (database, Path(str(database) + ".wal")):
            path.unlink(missing_ok=True)

    ours, folder = our_project(f"csv-{rows}", "version: '1.0'\nsources:\n  - name: orders\n    type: csv\n    csv:\n"
                               f"      directory: {data}\n      file_pattern: '*.csv'\n")
    jobs = [
        ("ctas", clean, ctas(", sample_size=-1"), WORK, QUIET),
        ("ctas sampled", clean, ctas(""), WORK, QUIET),
        ("ours", ours, [DANGO, "sync", "--json"], folder, QUIET),
    ]
    if rows <= 1_000_000:
        peer, peer_folder = peer_project(f"csv-{rows}", "version: '1.0'\nsources:\n- {name: orders, type: csv, enabled: true, "
                                         f"csv: {{directory: {data}, file_pattern: '*.csv'}}}}\n")
        jobs.append(("getdango load", peer, [PYTHON["getdango"], "-c", LOAD_ONLY], peer_folder, QUIET))
    measured = interleaved(jobs)
    clean()
    run(ctas(", sample_size=-1"))
    reference = note(label, "DuckDB CTAS, sample_size=-1", measured["ctas"], megabytes(database))
    note(label, "DuckDB CTAS, sampled", measured["ctas sampled"], megabytes(database), reference)
    note(label, "ours", measured["ours"], megabytes(folder / "data/warehouse.duckdb"), reference)
    if "getdango load" in measured:
        note(label, "getdango, load only", measured["getdango load"], megabytes(peer_folder / "data/warehouse.duckdb"), reference)


class Postgres:
    """A throw-away cluster on loopback."""

    def __enter__(self):
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.folder, self.port = fresh(WORK / "pg"), free_port()
        self.control = binaries / "pg_ctl"
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres")
            for parent in (self.folder, *self.folder.parents):
                if parent != Path("/") and not os.stat(parent).st_mode & 1:
                    os.chmod(parent, os.stat(parent).st_mode | 0o011)
        self.do(binaries / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "bench", "--locale=C.UTF-8", "-E", "UTF8")
        with open(self.folder / "data/postgresql.conf", "a") as conf:
            conf.write(f"listen_addresses='127.0.0.1'\nport={self.port}\nunix_socket_directories='{self.folder}'\n"
                       "shared_buffers=1GB\nmax_wal_size=4GB\n")
        self.do(self.control, "-D", self.folder / "data", "-l", self.folder / "log", "-w", "start")
        self.url = f"postgresql://bench@127.0.0.1:{self.port}/postgres"
        return self

    def do(self, *command):
        prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        subprocess.run([*prefix, *map(str, command)], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def sql(self, text):
        subprocess.run(["psql", self.url, "-v", "ON_ERROR_STOP=1", "-qAtc", text], check=True, stdout=subprocess.DEVNULL)

    def __exit__(self, *_):
        self.do(self.control, "-D", self.folder / "data", "-m", "fast", "-w", "stop")


DLT = """
import os, sys
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
kind, out, arg = sys.argv[1:4]
p = dlt.pipeline("bench", destination=dlt.destinations.duckdb(out), dataset_name="raw", pipelines_dir=out + ".pipelines")
if kind == "pg":
    from dlt.sources.sql_database import sql_table
    p.run(sql_table(credentials=arg, table="orders", backend="pyarrow"), write_disposition="replace")
else:
    from dlt.sources.rest_api import rest_api_source
    p.run(rest_api_source({"client": {"base_url": arg}, "resources": [{"name": "orders", "primary_key": "id", "write_disposition": "merge",
        "endpoint": {"path": "orders", "params": {"per_page": 1000}, "data_selector": "data",
                     "paginator": {"type": "page_number", "base_page": 1, "total_path": "total_pages"}}}]}))
"""


def clean_dlt(database):
    for path in (database, Path(str(database) + ".wal")):
        path.unlink(missing_ok=True)
    shutil.rmtree(str(database) + ".pipelines", ignore_errors=True)
    shutil.rmtree(WORK / "dlt_data", ignore_errors=True)


def postgres():
    rows, label = 1_000_000, "Postgres, 1 M x 16"
    file = WORK / f"csv-{rows}/orders.csv"
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        orders.main(rows, str(file))
    with Postgres() as server:
        columns = ", ".join(f"{name} {kind}{' primary key' if name == 'order_id' else ''}" for name, kind in orders.COLUMNS)
        server.sql(f"CREATE TABLE orders ({columns})")
        subprocess.run(["psql", server.url, "-qc", f"\\copy orders FROM '{file}' CSV HEADER"], check=True)
        server.sql("VACUUM ANALYZE orders")
        server.sql("CREATE TABLE small (LIKE orders INCLUDING ALL); INSERT INTO small SELECT * FROM orders ORDER BY order_id LIMIT 50000")
        database = WORK / "out.duckdb"
        pipe = (f"psql '{server.url}' -qc '\\copy orders TO STDOUT CSV HEADER' | {PYTHON['duckdb']} -c \"import duckdb; "
                f"c = duckdb.connect('{database}'); c.execute('CREATE TABLE orders({', '.join(n + ' ' + k for n, k in orders.COLUMNS)})'); "
                f"c.execute(\\\"COPY orders FROM '/dev/stdin' (HEADER)\\\"); c.close()\"")
        source = lambda table: (f"version: '1.0'\nsources:\n  - name: shop\n    type: postgres\n    postgres:\n      host: 127.0.0.1\n"
                                f"      port: {server.port}\n      database: postgres\n      username: bench\n      table_names: [{table}]\n")
        secrets = "[sources.shop]\npassword = \"none\"\n"
        ours, folder = our_project("pg", source("orders"), secrets)
        clean = lambda: clean_dlt(database)
        sqlalchemy = server.url.replace("postgresql://", "postgresql+psycopg2://")
        measured = interleaved([
            ("pipe", clean, pipe, WORK, QUIET),
            ("ours", ours, [DANGO, "sync", "--json"], folder, QUIET),
            ("dlt", clean, [PYTHON["dlt"], "-c", DLT, "pg", str(database), sqlalchemy], WORK, QUIET),
        ])
        clean()
        run(pipe)
        reference = note(label, "psql COPY csv, piped into DuckDB", measured["pipe"], megabytes(database))
        note(label, "ours", measured["ours"], megabytes(folder / "data/warehouse.duckdb"), reference)
        note(label, "dlt, pyarrow backend", measured["dlt"], None, reference)
        again = run([DANGO, "sync", "--json"], cwd=folder, env=QUIET)
        note(label + ", unchanged again", "ours", again, megabytes(folder / "data/warehouse.duckdb"), reference)
        # getdango reads row by row; 50,000 rows are enough to tell, and the ratio is to our own on the same table.
        small, small_folder = our_project("pg-small", source("small"), secrets)
        peer, peer_folder = peer_project("pg", "version: '1.0'\nsources:\n- name: shop\n  type: postgres\n  enabled: true\n"
                                         "  generic_config: {credentials_env: POSTGRES_CREDENTIALS, schema: public, table_names: [small]}\n",
                                         f"POSTGRES_CREDENTIALS={sqlalchemy}\n")
        small()
        mine = run([DANGO, "sync", "--json"], cwd=small_folder, env=QUIET)
        peer()
        theirs = run([PYTHON["getdango"], "-c", LOAD_ONLY], cwd=peer_folder, env=QUIET)
        reference = note("Postgres, 50 k x 16", "getdango, load only", theirs)
        note("Postgres, 50 k x 16", "ours", mine, None, reference)


def rest():
    label, port = "REST, 100 k records, pages of 1000", free_port()
    server = subprocess.Popen([PYTHON["duckdb"], HERE / "api.py", str(port), "100000", "1000"], stdout=subprocess.PIPE)
    try:
        server.stdout.readline()
        url, database = f"http://127.0.0.1:{port}/", WORK / "out.duckdb"
        ours, folder = our_project("rest", "version: '1.0'\nsources:\n  - name: shopapi\n    type: rest_api\n    rest_api:\n"
                                   f"      base_url: {url}\n      auth_type: none\n      endpoints:\n"
                                   "        - {path: orders, name: orders, params: {per_page: 1000}, data_selector: data, primary_key: id, "
                                   "paginator: {type: page_number, base_page: 1, total_path: total_pages}}\n")
        peer, peer_folder = peer_project("rest", "version: '1.0'\nsources:\n- name: shopapi\n  type: rest_api\n  enabled: true\n  rest_api:\n"
                                         f"    base_url: {url}\n    auth_type: none\n    endpoints:\n"
                                         "    - {path: orders, name: orders, params: {per_page: 1000}, data_selector: data, paginator: {type: page_number}}\n")
        clean = lambda: clean_dlt(database)
        measured = interleaved([
            ("ours", ours, [DANGO, "sync", "--json"], folder, QUIET),
            ("dlt", clean, [PYTHON["dlt"], "-c", DLT, "rest", str(database), url], WORK, QUIET),
            ("getdango", peer, [PYTHON["getdango"], "-c", LOAD_ONLY], peer_folder, QUIET),
        ])
        reference = note(label, "getdango, load only", measured["getdango"], megabytes(peer_folder / "data/warehouse.duckdb"))
        note(label, "ours", measured["ours"], megabytes(folder / "data/warehouse.duckdb"), reference)
        reference = note(label, "dlt", measured["dlt"], megabytes(database))
        note(label, "ours, beside dlt", measured["ours"], None, reference)
    finally:
        server.terminate()
        server.wait()


def report():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    lines = [
        f"Measured {datetime.date.today()} on {os.cpu_count()} cores ({cpu}), {platform.system()} {platform.release()}; "
        f"medians of {N} interleaved runs. Ratios are to the first line of each row.", "",
        "| row | who | wall s | x | CPU s | x | main MB | children MB | file MB |", "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for entry in results:
        cells = [entry["row"], entry["who"], entry["wall_s"], entry.get("wall_ratio", ""), entry["cpu_s"], entry.get("cpu_ratio", ""),
                 entry["main_mb"], entry["children_mb"], entry["file_mb"] or ""]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    text = "\n".join(lines) + "\n"
    (HERE / "results.md").write_text("# Last measured\n\n" + text)
    print("\n" + text)


ACTIONS = {"start": start, "csv1m": lambda: csv(1_000_000, "CSV, 1 M x 16"), "csv5m": lambda: csv(5_000_000, "CSV, 5 M x 16"),
           "postgres": postgres, "rest": rest}
for row in ROWS:
    ACTIONS[row]()
report()
