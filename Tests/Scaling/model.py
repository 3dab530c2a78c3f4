#!/usr/bin/env python3
"""Fits a cost model to what Tests/Scaling/measure wrote, and prints the tables of docs/scaling.md.

    Tests/Scaling/model.py MEASUREMENTS [DOCUMENT]     replaces what is between the document's marks

Seconds and bytes, for H hosts with r ranks each, b images a rank, P floats and w bytes of a float on the wire:

    computation        C = c0 + c1 b
    step               T = C + R; overlap hides what is only waiting, min(B, link - work), B what of C a reduction can proceed beside,
                       because ranks keep all cores busy
    reduction          R = lambda H + A + max(link, work)
    sums of a host     A = 4 P (r + 1) s / (mu r), where it has several ranks: r copies are read and one is written
    link               V / (eta link), V = 2 (H - 1) / H w P bytes that a host sends, and receives
    work               (V s / kappa + 4 P s / nu + alpha M + rho V / w) / r, 4 P bytes that a host's part of the sums and its copies
                       touch, M = 4 (H - 1) / H ceil(P / piece) messages that it sends and receives, rho for rounding where w = 2
    s                  1 where the vectors of all ranks are in the caches, `slow` far beyond

Emulated hosts share the cores of one machine, so there r in the divisors is min(r, cores / H), C is longer by ceil(H r / cores), and
`link` is shorter by what may leave at once (the burst of `tc tbf`).
"""
import math
import random
import sys
from collections import defaultdict
from statistics import median

CORES = 2
NAMES = {"ae-a1-mnist": "MNIST (A1)", "ae-a1-cifar": "CIFAR-10 (A1)", "ae-a1-celeba": "CelebA (A1)"}
# Of one image's forward and backward pass, by the shapes of the layers.
GIGAFLOPS = {"ae-a1-mnist": 0.35, "ae-a1-cifar": 0.47, "ae-a1-celeba": 1.87, "flexae-mnist": 1.07}
# A backward pass takes 2/3 of the computation; half of the parameters of A1 are final at its middle.
OVERLAP = 1 / 3


class Job:
    """Where a reduction runs: hosts, ranks of each, Mbit/s of the links (0: no limit), bytes of a float on the wire."""

    def __init__(self, hosts, ranks, rate, wire=4, emulated=True):
        self.hosts, self.ranks, self.rate, self.wire, self.emulated = hosts, ranks, rate, wire, emulated

    @property
    def busy(self):
        return min(self.ranks, CORES / self.hosts) if self.emulated else self.ranks

    @property
    def crowding(self):
        return math.ceil(self.hosts * self.ranks / CORES) if self.emulated else 1

    def piece(self, floats):
        share = floats // (8 * self.hosts * self.ranks) // 1024 * 1024
        return max(4096, min(131072, share))

    def volume(self, floats):
        return 2 * (self.hosts - 1) / self.hosts * self.wire * floats

    def messages(self, floats):
        return 4 * (self.hosts - 1) / self.hosts * math.ceil(floats / self.piece(floats))

    def burst(self):
        return self.rate * 500 + 262144 if self.emulated else 0


# Bytes of all ranks' vectors that the caches of a machine hold.
CACHE = 8 << 20


def parts(job, floats, fit):
    """What a reduction takes apart from sending, its link, and the work of sending."""
    delay, alpha, eta, kappa, nu, mu, slow, rounding = fit
    slowness = 1 + (slow - 1) * max(0, 1 - CACHE / (4 * floats * job.ranks * (job.hosts if job.emulated else 1)))
    sums = 4 * floats * (job.ranks + 1) * slowness / (mu * job.busy) if job.ranks > 1 else 0
    if job.hosts == 1:
        return sums, 0, 0
    volume = job.volume(floats)
    link = max(0, volume - job.burst()) / (eta * job.rate * 125e3) if job.rate else 0
    work = (volume / kappa + 4 * floats / nu) * slowness + alpha * job.messages(floats)
    if job.wire == 2:
        work += rounding * volume / 2
    return delay * job.hosts + sums, link, work / job.busy


def reduction_time(job, floats, fit):
    rest, link, work = parts(job, floats, fit)
    return rest + max(link, work)


def read(path):
    steps, reductions, overlaps, parameters = defaultdict(list), defaultdict(list), defaultdict(list), {}
    for line in open(path):
        kind, *fields = line.rstrip("\n").split("\t")
        if not all(fields):
            continue
        if kind == "step":
            workload, hosts, ranks, batch, rate, overlap, wire, count, ms = fields
            parameters[workload] = int(count)
            steps[workload, int(hosts), int(ranks), int(batch), int(rate), overlap, wire].append(float(ms) / 1e3)
        elif kind == "reduction":
            hosts, ranks, rate, floats, ms = fields
            reductions[int(hosts), int(ranks), int(rate), int(floats)].append(float(ms) / 1e3)
        elif kind == "overlap":
            ranks, rate, backward, off, on = fields
            overlaps[int(ranks), int(rate), int(backward)].append((float(off) / 1e3, float(on) / 1e3))
    # What other processes do to a run only adds to it: the least is the best estimate.
    least = {k: tuple(min(column) for column in zip(*v)) for k, v in overlaps.items()}
    return ({k: min(v) for k, v in steps.items()}, {k: min(v) for k, v in reductions.items()}, least, parameters)


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
        if fit[2] > 1 or fit[6] < 1:
            return math.inf
        # The largest error counts with the mean of all.
        errors = [abs(math.log(reduction_time(Job(h, r, rate), p, fit + [0]) / t)) for (h, r, rate, p), t in reductions.items()]
        return sum(errors) / len(errors) + 2 * max(errors)
    draw = random.Random(1).uniform
    starts = ([10 ** draw(-6, -4), 10 ** draw(-6, -5), 0.93, 10 ** draw(9, 11), 10 ** draw(9, 11), 10 ** draw(10, 11), draw(1, 3)]
              for _ in range(40))
    return min((search(error, start) for start in starts), key=error)


def fit_rounding(steps, compute, parameters, fit):
    """Seconds for a float that is rounded for the wire, from steps that differ in nothing else."""
    rounded = {k: t for k, t in steps.items() if k[6] == "bfloat16"}

    def error(rounding):
        jobs = ((k, Job(k[1], k[2], k[4], wire=2), t) for k, t in rounded.items())
        return sum(abs(math.log(step_time(job, compute[k[0]], k[3], parameters[k[0]], k[5], fit + rounding) / t)) for k, job, t in jobs)
    return search(error, [1e-10]) if rounded else [0]


def fit_compute(steps, workload):
    """c0 and c1 by least squares over batches of one rank."""
    points = [(k[3], t) for k, t in steps.items() if k[0] == workload and k[1:3] == (1, 1) and k[5:] == ("off", "float32")]
    x, y = sum(b for b, _ in points) / len(points), sum(t for _, t in points) / len(points)
    c1 = sum((b - x) * (t - y) for b, t in points) / sum((b - x) ** 2 for b, _ in points)
    return max(0.0, y - c1 * x), c1


def step_time(job, compute, batch, floats, overlap, fit):
    computation = (compute[0] + compute[1] * batch) * job.crowding
    rest, link, work = parts(job, floats, fit)
    hidden = min(OVERLAP * compute[1] * batch * job.crowding, max(0, link - work)) if overlap == "on" else 0
    return computation + rest + max(link, work) - hidden


def percent(x):
    return f"{100 * x:.1f} %"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "| --- |" + " --: |" * (len(header) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def link(rate):
    return "no limit" if rate == 0 else f"{rate / 1000:g} Gbit/s"


def one_host(steps, parameters):
    def ms(key):
        return f"{1e3 * steps[key]:.0f}" if key in steps else "-"

    def ratio(base, key, scale):
        return percent(steps[base] / steps[key] * scale) if base in steps and key in steps else "-"

    rows = []
    for w in sorted(parameters):
        one, two, four, s2, s4 = (
            (w, 1, n, b, 0, "off", "float32") for n, b in ((1, 64), (2, 64), (4, 64), (2, 32), (4, 16)))
        rows.append([w, ms(one), ms(two), ratio(one, two, 1), ms(four), ratio(one, four, 1), ms(s2), ratio(one, s2, 0.5),
                     ms(s4), ratio(one, s4, 0.25)])
    return table(["64 images a rank: ms a step", "1 rank", "2 ranks", "weak", "4 on 2 cores", "weak",
                  "2 ranks, 64 in all", "strong", "4 on 2 cores, 64 in all", "strong"], rows)


def sleeping(overlaps, fit):
    """What overlap gains where the backward pass needs no core: 17 million floats in 16 equal layers."""
    rows = []
    for (ranks, rate, backward), (off, on) in sorted(overlaps.items()):
        reduction, layer = off - backward / 1e3, backward / 16e3
        # The gradients of the first layer are final after its share; the last layer's sum comes after the whole.
        model = max(backward / 1e3 + reduction / 16, layer + reduction)
        rows.append([f"2 × {ranks}, {link(rate)}, backward {backward} ms", f"{1e3 * off:.0f}", f"{1e3 * on:.0f}",
                     f"{1e3 * model:.0f}", percent(model / on - 1), percent(off / on - 1)])
    return table(["hosts × ranks", "off: ms", "on: ms", "model, on: ms", "error", "gain"], rows)


def errors_of_reductions(reductions, fit):
    sizes = sorted({k[3] for k in reductions})
    rows, errors = [], []
    for place in sorted({k[:3] for k in reductions}):
        cells = []
        for floats in sizes:
            measured = reductions.get(place + (floats,))
            if measured is None:
                cells.append("-")
                continue
            error = reduction_time(Job(*place), floats, fit) / measured - 1
            errors.append(abs(error))
            cells.append(f"{1e3 * measured:.1f} ({100 * error:+.0f} %)")
        rows.append([f"{place[0]} × {place[1]}, {link(place[2]) if place[0] > 1 else 'shared memory'}"] + cells)
    return table(["hosts × ranks"] + [f"{floats:,} floats" for floats in sizes], rows), errors


def errors_of_steps(steps, compute, parameters, fit):
    rows, errors = [], []
    for key in sorted(k for k in steps if k[1] > 1):
        w, hosts, ranks, batch, rate, overlap, wire = key
        job = Job(hosts, ranks, rate, wire=2 if wire == "bfloat16" else 4)
        model = step_time(job, compute[w], batch, parameters[w], overlap, fit)
        errors.append(abs(model / steps[key] - 1))
        rows.append([f"{w}, {hosts} × {ranks}, {link(rate)}, overlap {overlap}, {wire}", f"{1e3 * steps[key]:.0f}",
                     f"{1e3 * model:.0f}", percent(model / steps[key] - 1)])
    return table(["steps of 16 images a rank", "measured ms", "model ms", "error"], rows), errors


HOSTS, RANKS = (2, 8, 32, 128, 512, 1024), 32


def predictions(compute, parameters, fit, images):
    """Efficiency against one host of as many ranks; `images` gives those of a rank on so many hosts."""
    rows = []
    for w in NAMES:
        if w not in compute:
            continue
        alone = step_time(Job(1, RANKS, 0, emulated=False), compute[w], images(1), parameters[w], "off", fit)
        for rate in (10_000, 100_000, 400_000):
            for name, wire in (("float32", 4), ("bfloat16", 2)):
                cells = []
                for hosts in HOSTS:
                    job = Job(hosts, RANKS, rate, wire, emulated=False)
                    # An image an hour on one rank is as many on two: efficiency is images per second and rank against one host's.
                    share = images(hosts) / images(1)
                    off, on = (share * alone / step_time(job, compute[w], images(hosts), parameters[w], overlap, fit)
                               for overlap in ("off", "on"))
                    cells.append(f"{100 * off:.0f} / {100 * on:.0f}")
                rows.append([f"{NAMES[w]}, {rate // 1000} Gbit/s, {name}"] + cells)
    return table(["efficiency in %"] + [f"{h:,} × {RANKS}" for h in HOSTS], rows)


def main():
    steps, reductions, overlaps, parameters = read(sys.argv[1])
    compute = {w: fit_compute(steps, w) for w in parameters}
    fit = fit_reduction(reductions)
    fit += fit_rounding(steps, compute, parameters, fit)
    delay, alpha, eta, kappa, nu, mu, slow, rounding = fit
    out = ["One host, shared memory. 4 ranks share 2 cores, so their efficiency is at most 50 %.\n", one_host(steps, parameters)]
    out += [f"\nFitted: λ = {1e6 * delay:.0f} µs a host, α = {1e6 * alpha:.1f} µs a message, η = {eta:.2f} of the link,\n"
            f"κ = {1e-9 * kappa:.1f} GB/s through TCP with a core, ν = {1e-9 * nu:.1f} GB/s of sums of hosts, μ = {1e-9 * mu:.1f} GB/s of\n"
            f"sums of ranks, all three {slow:.1f} times slower for vectors that caches do not hold, ρ = {1e9 * rounding:.2f} ns to\n"
            f"round a float.\n"]
    out.append(table(
        ["workload", "P", "c₀", "c₁", "GF/s a core"],
        [[w, f"{parameters[w] / 1e6:.1f} M", f"{1e3 * c0:.0f} ms", f"{1e3 * c1:.2f} ms/image", f"{GIGAFLOPS[w] / c1:.0f}"]
         for w, (c0, c1) in sorted(compute.items())]))
    text, errors = errors_of_reductions(reductions, fit)
    out += ["\nReductions: ms measured, and the model's error.\n", text,
            f"\nMedian error {percent(median(errors))}, largest {percent(max(errors))}.\n"]
    text, errors = errors_of_steps(steps, compute, parameters, fit)
    if errors:
        out += ["Steps:\n", text, f"\nMedian error {percent(median(errors))}, largest {percent(max(errors))}.\n"]
    if overlaps:
        out += ["Overlap where the backward pass sleeps, so cores are idle; 17 million floats in 16 equal layers:\n",
                sleeping(overlaps, fit), ""]
    out += [f"Predicted weak scaling, {RANKS} ranks a host, 16 images a rank, against one host, without / with overlap:\n",
            predictions(compute, parameters, fit, lambda hosts: 16),
            f"\nPredicted strong scaling, {RANKS} ranks a host, 32,768 images in all:\n",
            predictions(compute, parameters, fit, lambda hosts: 1024 / hosts)]
    text = "\n".join(out)
    if len(sys.argv) < 3:
        print(text)
        return
    document = open(sys.argv[2]).read()
    begin, end = "<!-- by launch/scaling -->\n", "<!-- end -->\n"
    before, rest = document.split(begin)
    open(sys.argv[2], "w").write(before + begin + text + "\n" + end + rest.split(end)[1])


main()
