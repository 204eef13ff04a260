#!/usr/bin/env python3
"""Runs libFuzzer targets for a time, two at once, and reports executions and coverage in one table.

With a seed each run draws the same inputs, from the committed corpus alone; how many of them the time decides.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys

import corpus

GRACE = 120  # seconds beyond the asked time before a target counts as stuck


def unpack(name, folder):
    """The committed corpus of a target, and nothing else, where libFuzzer can read it."""
    shutil.rmtree(folder, ignore_errors=True)
    corpus.unpack(name, folder)


def run_target(build, name, seconds, seed):
    """Runs one target on its committed corpus and, without a seed, on what earlier runs found. Returns a row of the table."""
    found, crashes, committed = (os.path.join(build, folder, name) for folder in ("corpus", "crashes", "committed"))
    os.makedirs(found, exist_ok=True)
    os.makedirs(crashes, exist_ok=True)
    unpack(name, committed)
    command = [os.path.join(build, "fuzz", "fuzz_" + name), f"-max_total_time={seconds}", "-timeout=10",
               "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={crashes}/"]
    command += [f"-seed={seed}", committed] if seed else [found, committed]
    log = os.path.join(build, f"fuzz-{name}.log")
    with open(log, "wb") as out:
        try:
            status = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                    timeout=seconds + GRACE, check=False).returncode
        except subprocess.TimeoutExpired:
            status = -1
    with open(log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    lines = re.findall(r"^#(\d+)\s.*cov: (\d+) ft: (\d+) corp: (\d+)/", text, flags=re.M)
    cov = lines[-1][1:] if lines else ("-", "-", "-")
    stats = dict(re.findall(r"^stat::(\w+): +(\d+)", text, flags=re.M))
    return {"name": name, "failed": status != 0, "text": text, "cov": cov,
            "runs": stats.get("number_of_executed_units", "-"), "rate": stats.get("average_exec_per_sec", "-")}


def merge(build, name):
    """Adds to the committed corpus those inputs of earlier runs that reach something new, as long as they are small."""
    found, committed = (os.path.join(build, folder, name) for folder in ("corpus", "committed"))
    os.makedirs(found, exist_ok=True)
    unpack(name, committed)
    subprocess.run([os.path.join(build, "fuzz", "fuzz_" + name), "-merge=1", "-max_len=2048", committed, found],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=600, check=True)
    files = [os.path.join(committed, file) for file in os.listdir(committed)]
    inputs = corpus.read(name)
    new = corpus.add(name, files, inputs)
    print(f"{name:<18} {new:>4} new inputs, {sum(map(len, inputs.values()))} bytes in all")


def report_failure(row, build):
    """Shows what matters of a failure, and how to see it again."""
    print(f"\n{row['name']}: broken")
    for line in row["text"].split("\n"):
        if re.search(r"property broken|^ERROR|==ERROR|runtime error|SUMMARY|Test unit written", line):
            print("  " + line[:300])
    inputs = glob.glob(os.path.join(build, "crashes", row["name"], "*"))
    if inputs:
        newest = os.path.relpath(max(inputs, key=os.path.getmtime))
        print(f"  again: {os.path.relpath(build)}/fuzz/fuzz_{row['name']} {newest}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--seed", type=int, help="from 1; the same inputs again (default: others each time)")
    parser.add_argument("--merge", action="store_true")
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    if args.merge:
        for name in args.names:
            merge(args.build, name)
        return 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(lambda name: run_target(args.build, name, args.seconds, args.seed), args.names))
    print(f"{'target':<18} {'executions':>11} {'a second':>9} {'cov':>6} {'ft':>6} {'corpus':>7}")
    for row in rows:
        cov, features, corpus = row["cov"]
        print(f"{row['name']:<18} {row['runs']:>11} {row['rate']:>9} {cov:>6} {features:>6} "
              f"{corpus:>7}{'  BROKEN' if row['failed'] else ''}")
    for row in rows:
        if row["failed"]:
            report_failure(row, args.build)
    failed = sum(row["failed"] for row in rows)
    print(f"{len(rows) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
