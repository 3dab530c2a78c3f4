#!/usr/bin/env python3
"""Fits a cost model to what Tests/Scaling/measure wrote, and prints the tables of docs/scaling.md.

    Tests/Scaling/model.py MEASUREMENTS [DOCUMENT]     replaces what is between the document's marks

Model, in seconds, bytes and bytes per second, for N ranks with b images each, P floats and one rank a host:

    step without overlap   T = c0 + c1 b + R
    step with overlap      T = c0 + c1 b + max(R - phi c1 b, L)
    reduction              R = alpha M + V / min(eta link, kappa)
    messages of a rank     M = 2 (N - 1) pieces, pieces of at most 512 KiB of its part of P / N floats
    bytes of a rank        V = 2 (N - 1) / N * 4 P, in each direction
    what cannot overlap    L = the reduction of the last 2^20 floats
"""
import math
import sys
from collections import defaultdict
from statistics import median

MIB_FLOATS = 1 << 20
PIECE = 131072
NAMES = {"ae-a1-mnist": "MNIST (A1)", "ae-a1-cifar": "CIFAR-10 (A1)", "ae-a1-celeba": "CelebA (A1)"}
GIGAFLOPS = {"ae-a1-mnist": 0.35, "ae-a1-cifar": 0.47, "ae-a1-celeba": 1.87, "flexae-mnist": 1.07}


def read(path):
    steps, reductions, parameters = defaultdict(list), defaultdict(list), {}
    for line in open(path):
        kind, *fields = line.rstrip("\n").split("\t")
        if not fields[-1]:
            continue
        if kind == "step":
            workload, hosts, ranks, batch, rate, overlap, count, ms = fields
            parameters[workload] = int(count)
            steps[workload, int(hosts), int(ranks), int(batch), int(rate), overlap].append(float(ms) / 1e3)
        elif kind == "reduction":
            hosts, rate, floats, ms = fields
            reductions[int(hosts), int(rate), int(floats)].append(float(ms) / 1e3)
    # What other processes do to a run only adds to it: the least is the best estimate.
    return ({k: min(v) for k, v in steps.items()}, {k: min(v) for k, v in reductions.items()}, parameters)


def messages(ranks, floats):
    return 2 * (ranks - 1) * math.ceil(floats / ranks / PIECE)


def volume(ranks, floats):
    return 2 * (ranks - 1) / ranks * 4 * floats


def bandwidth(rate, eta, kappa):
    """Bytes per second of a link of `rate` Mbit/s, 0 for one without limit."""
    return kappa if rate == 0 else min(eta * rate * 1e6 / 8, kappa)


def reduction_time(ranks, floats, rate, fit):
    alpha, eta, kappa = fit
    return alpha * messages(ranks, floats) + volume(ranks, floats) / bandwidth(rate, eta, kappa)


def search(error, start, factor=2.0):
    """The parameters with the least error: steps of a factor, up or down one at a time, that shrink when none helps."""
    best, least = list(start), error(start)
    while factor > 1.001:
        improved = False
        for place in range(len(best)):
            for scale in (factor, 1 / factor):
                trial = best[:place] + [best[place] * scale] + best[place + 1:]
                value = error(trial)
                if value < least:
                    best, least, improved = trial, value, True
        if not improved:
            factor = math.sqrt(factor)
    return best


def fit_reduction(reductions):
    def error(fit):
        if fit[1] > 1:
            return math.inf
        # Absolute values, so that one disturbed run does not decide.
        return sum(abs(math.log(reduction_time(n, p, rate, fit) / t)) for (n, rate, p), t in reductions.items())
    return search(error, [2e-5, 0.9, 1e9])


def fit_compute(steps, workload):
    """c0 and c1 by least squares over batches of one rank."""
    points = [(b, t) for (w, h, n, b, rate, o), t in steps.items() if (w, h, n, o) == (workload, 1, 1, "off")]
    x, y = sum(b for b, _ in points) / len(points), sum(t for _, t in points) / len(points)
    c1 = sum((b - x) * (t - y) for b, t in points) / sum((b - x) ** 2 for b, _ in points)
    return max(0.0, y - c1 * x), c1


def step_time(compute, ranks, batch, floats, rate, overlap, fit, phi, alone=None):
    """`alone`: what the ranks take without a link between them, where that has been measured."""
    c0, c1 = compute
    reduction = reduction_time(ranks, floats, rate, fit)
    if overlap == "on":
        last = reduction_time(ranks, min(floats, MIB_FLOATS), rate, fit)
        reduction = max(reduction - phi * c1 * batch, last)
    return (alone or c0 + c1 * batch) + reduction


def percent(x):
    return f"{100 * x:.1f} %"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " --: |" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def link(rate):
    return "veth, no limit" if rate == 0 else f"{rate / 1000:g} Gbit/s"


def main():
    steps, reductions, parameters = read(sys.argv[1])
    fit = fit_reduction(reductions)
    compute = {w: fit_compute(steps, w) for w in parameters}
    remote = {k: t for k, t in steps.items() if k[1] > 1}
    # Emulated hosts share one machine: what two ranks take more than one there is not the link's.
    alone = {(w, n, b): t for (w, h, n, b, rate, o), t in steps.items() if h == 1 and o == "off"}

    def model_time(key, phi):
        w, _, n, b, rate, o = key
        return step_time(compute[w], n, b, parameters[w], rate, o, fit, phi, alone.get((w, n, b)))

    phi = search(
        lambda phi: math.inf if phi[0] > 1 else sum(
            abs(math.log(model_time((w, h, n, b, rate, o), phi[0]) / t))
            for (w, h, n, b, rate, o), t in remote.items() if o == "on"), [0.5])[0] if remote else 0
    out = []

    def ms(key):
        return f"{1e3 * steps[key]:.0f}" if key in steps else "-"

    def ratio(base, key, scale):
        return percent(steps[base] / steps[key] * scale) if base in steps and key in steps else "-"

    out.append("One host, shared memory. 4 ranks share 2 cores, so their efficiency is at most 50 %.\n")
    rows = []
    for w in sorted(parameters):
        one, two, four = (w, 1, 1, 64, 0, "off"), (w, 1, 2, 64, 0, "off"), (w, 1, 4, 64, 0, "off")
        s2, s4 = (w, 1, 2, 32, 0, "off"), (w, 1, 4, 16, 0, "off")
        rows.append([w, ms(one), ms(two), ratio(one, two, 1), ms(four), ratio(one, four, 1), ms(s2), ratio(one, s2, 0.5),
                     ms(s4), ratio(one, s4, 0.25)])
    out.append(table(["64 images a rank: ms a step", "1 rank", "2 ranks", "weak", "4 on 2 cores", "weak",
                      "2 ranks, 64 in all", "strong", "4 on 2 cores, 64 in all", "strong"], rows))

    out.append("\nOverlap, 64 images a rank. With four ranks, each has half a core.\n")
    rows = []
    for on in sorted((k for k in steps if k[5] == "on"), key=lambda k: k[:5]):
        off = on[:5] + ("off",)
        w, h, n, b, rate, _ = on
        gain = percent(steps[off] / steps[on] - 1) if off in steps else "-"
        rows.append([w, f"{h}, {n} ranks", "shared memory" if h == 1 else link(rate), ms(off), ms(on), gain])
    out.append(table(["workload", "hosts", "link", "off: ms", "overlap: ms", "gain"], rows))

    alpha, eta, kappa = fit
    out.append(
        f"\nFitted: α = {1e6 * alpha:.1f} µs a message, η = {eta:.2f} of the link,\n"
        f"κ = {8e-9 * kappa:.1f} Gbit/s through the TCP stack of this machine, φ = {phi:.2f} of c₁ b.\n")
    out.append(table(
        ["workload", "P", "c₀", "c₁", "GF/s a core"],
        [[w, f"{parameters[w] / 1e6:.1f} M", f"{1e3 * c0:.0f} ms", f"{1e3 * c1:.2f} ms/image", f"{GIGAFLOPS[w] / c1:.0f}"]
         for w, (c0, c1) in sorted(compute.items())]))

    out.append("\nError of the model, (model − measured) / measured:\n")
    rows = []
    for (n, rate, p), t in sorted(reductions.items()):
        model = reduction_time(n, p, rate, fit)
        rows.append([f"reduction of {p:,} floats, {n} hosts, {link(rate)}", f"{1e3 * t:.1f}", f"{1e3 * model:.1f}", percent(model / t - 1)])
    errors = []
    for (w, h, n, b, rate, o), t in sorted(remote.items()):
        if h > 2:
            continue
        model = model_time((w, h, n, b, rate, o), phi)
        errors.append(abs(model / t - 1))
        rows.append([f"{w}, {n} hosts, {link(rate)}, overlap {o}", f"{1e3 * t:.0f}", f"{1e3 * model:.0f}", percent(model / t - 1)])
    out.append(table(["what", "measured ms", "model ms", "error"], rows))
    if errors:
        out.append(f"\nSteps on two hosts: median error {percent(median(errors))}, largest {percent(max(errors))}.\n")

    out.append("Predicted weak scaling, 64 images a rank, one rank a host, without / with overlap:\n")
    rows = []
    for w in NAMES:
        if w not in compute:
            continue
        for name, rate, fitted in (
                ("10 Gbit/s", 10_000, fit), ("100 Gbit/s", 100_000, fit),
                ("100 Gbit/s, κ not binding", 100_000, (alpha, eta, math.inf))):
            cells = []
            for n in (8, 16, 32, 64, 128, 256, 512, 1024):
                compute_time = compute[w][0] + 64 * compute[w][1]
                off, on = (compute_time / step_time(compute[w], n, 64, parameters[w], rate, o, fitted, phi)
                           for o in ("off", "on"))
                cells.append(f"{100 * off:.0f} / {100 * on:.0f}")
            rows.append([f"{NAMES[w]}, {name}"] + cells)
    out.append(table(["efficiency in %", "8", "16", "32", "64", "128", "256", "512", "1,024"], rows))
    text = "\n".join(out)
    if len(sys.argv) < 3:
        print(text)
        return
    document = open(sys.argv[2]).read()
    begin, end = "<!-- by launch/scaling -->\n", "<!-- end -->\n"
    before, rest = document.split(begin)
    open(sys.argv[2], "w").write(before + begin + text + "\n" + end + rest.split(end)[1])


main()
