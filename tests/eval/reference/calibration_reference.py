#!/usr/bin/env python3
"""Makes calibration_reference.json: what calibration_report_test.cpp must agree with.

Run by hand with NumPy:  python3 tests/eval/reference/calibration_reference.py
Everything is in float64, each metric written from its definition with no regard to speed. Logits are float32
values that the test makes again: given in the file where there are few, else from splitmix64 (see generated()).
The temperature is the best of a fine grid over log T, then bisection of the derivative of the NLL.
"""
import json
import os

import numpy as np

LOW, HIGH = 0.05, 20.0
MASK = (1 << 64) - 1


def splitmix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def generated(rows, classes, scale, right, seed):
    """Logit (i, k): four 16-bit uniforms of one hash, summed, centred, times scale / 65536. The label is the
    largest logit's class where the row's hash is below `right` (of 256), else any class."""
    logits = np.empty((rows, classes))
    labels = np.empty(rows, dtype=np.int64)
    for i in range(rows):
        for k in range(classes):
            h = splitmix((seed << 40) + i * classes + k)
            total = sum((h >> s) & 0xFFFF for s in (0, 16, 32, 48))
            logits[i, k] = (total - 2 * 65536) * scale / 65536
        h = splitmix((seed << 40) + (1 << 39) + i)
        labels[i] = int(np.argmax(logits[i])) if (h & 255) < right else (h >> 8) % classes
    assert np.array_equal(logits, logits.astype(np.float32))
    return logits, labels


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b & 0xFFFFFFFF, (a >> 32) ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def halves(rows, seed):
    """Bit 0 of word 0 of the block at (seed, purpose 9 = split, epoch 0, sample i, draw 0)."""
    return np.array([philox([0, i, 9 << 24, 0], [seed, 0])[0] & 1 for i in range(rows)])


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def log_softmax(z):
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def nll(z, y, t):
    return -log_softmax(z / t)[np.arange(len(y)), y].mean()


def slope(z, y, beta):
    p = softmax(z * beta)
    return ((p * z).sum(axis=1) - z[np.arange(len(y)), y]).mean()


def temperature(z, y):
    if np.all(z == z[:, :1]):
        return 1.0, "flat"
    grid = np.exp(np.linspace(np.log(LOW), np.log(HIGH), 2001))
    values = np.array([nll(z, y, t) for t in grid])
    best = int(values.argmin())
    if slope(z, y, 1 / LOW) <= 0:
        return LOW, "lower_bound"
    if slope(z, y, 1 / HIGH) >= 0:
        return HIGH, "upper_bound"
    low, high = 1 / grid[min(best + 1, 2000)], 1 / grid[max(best - 1, 0)]
    for _ in range(200):
        middle = 0.5 * (low + high)
        if slope(z, y, middle) <= 0:
            low = middle
        else:
            high = middle
    return 2 / (low + high), "interior"


def binned(confidence, correct, bins, index):
    gaps, maximum, debiased = 0.0, 0.0, 0.0
    from math import erf, exp, pi, sqrt
    for b in range(bins):
        of = index == b
        n = of.sum()
        if n == 0:
            continue
        accuracy = correct[of].mean()
        gap = accuracy - confidence[of].mean()
        gaps += n * abs(gap)
        maximum = max(maximum, abs(gap))
        deviation = sqrt(accuracy * (1 - accuracy) / n)
        folded = abs(gap)
        if deviation > 0:
            r = gap / deviation
            folded = deviation * sqrt(2 / pi) * exp(-r * r / 2) + gap * erf(r / sqrt(2))
        debiased += n * (2 * abs(gap) - folded)
    rows = len(confidence)
    return gaps / rows, maximum, max(0.0, debiased / rows)


def standard_bins(p, bins):
    edges = np.arange(bins + 1) / bins
    return np.minimum(np.searchsorted(edges, p, side="right") - 1, bins - 1)


def guo_bins(p, bins):
    edges = np.arange(bins + 1) / bins
    return np.searchsorted(edges, p, side="left") - 1


def adaptive(confidence, correct, bins):
    """Ties: what rounds to one multiple of 2^-20. A group on a boundary is shared in proportion."""
    keys = np.round(confidence * 2**20)
    order = np.unique(keys)
    share = len(confidence) / bins
    conf, corr = np.zeros(bins), np.zeros(bins)
    begin = 0.0
    for key in order:
        of = keys == key
        n = of.sum()
        for b in range(bins):
            part = max(0.0, min(begin + n, (b + 1) * share) - max(begin, b * share)) / n
            conf[b] += part * confidence[of].sum()
            corr[b] += part * correct[of].sum()
        begin += n
    return np.abs(conf - corr).sum() / len(confidence)


def metrics(z, y, bins, per_row_t, suffix):
    z = z / per_row_t[:, None]
    rows, classes = z.shape
    p = softmax(z)
    one_hot = np.eye(classes)[y]
    confidence = p.max(axis=1)
    correct = (z.argmax(axis=1) == y).astype(float)
    standard, maximum, debiased = binned(confidence, correct, bins, standard_bins(confidence, bins))
    guo = binned(confidence, correct, bins, guo_bins(confidence, bins))[0]
    phantom = np.where(confidence.astype(np.float32) == 1, bins, standard_bins(confidence, bins))
    index = standard_bins(p, bins)
    classwise = 0.0
    for k in range(classes):
        for b in np.unique(index[:, k]):
            of = index[:, k] == b
            classwise += abs(p[of, k].sum() - one_hot[of, k].sum())
    return {name + suffix: float(value) for name, value in {
        "nll": -log_softmax(z)[np.arange(rows), y].mean(),
        "brier": ((p - one_hot) ** 2).sum(axis=1).mean(),
        "ece": standard, "ece_standard": standard, "ece_guo": guo,
        "ece_torchmetrics": binned(confidence, correct, bins + 1, phantom)[0],
        "ece_adaptive": adaptive(confidence, correct, bins),
        "ece_classwise": classwise / (rows * classes),
        "ece_debiased": debiased, "mce": maximum}.items()}


def judge(name, z, y, bins, seed, source):
    rows, classes = z.shape
    order = np.argsort(-z, axis=1, kind="stable")  # ties: the lower class first
    result = {"rows": rows, "classes": classes,
              "accuracy": float((order[:, 0] == y).mean()),
              "top5_accuracy": float((order[:, :5] == y[:, None]).any(axis=1).mean())}
    result.update(metrics(z, y, bins, np.ones(rows), ""))
    t, end = temperature(z, y)
    result.update(temperature=float(t), temperature_end=end)
    result.update(metrics(z, y, bins, np.full(rows, t), "_scaled"))
    half = halves(rows, seed)
    fits = [temperature(z[half == h], y[half == h]) for h in (0, 1)]
    result["temperatures_held_out"] = [float(f[0]) for f in fits]
    result["temperatures_held_out_end"] = [f[1] for f in fits]
    result["temperature_held_out"] = float(np.sqrt(fits[0][0] * fits[1][0]))
    result.update(metrics(z, y, bins, np.where(half == 0, fits[1][0], fits[0][0]), "_held_out"))
    return {"name": name, "bins": bins, "seed": seed, "source": source, "expected": result}


def explicit(name, rows, bins, seed=1):
    z = np.array([r[0] for r in rows], dtype=np.float32).astype(np.float64)
    y = np.array([r[1] for r in rows])
    return judge(name, z, y, bins, seed, {"logits": z.tolist(), "labels": y.tolist()})


def made(name, rows, classes, scale, right, bins, seed):
    z, y = generated(rows, classes, scale, right, seed)
    return judge(name, z, y, bins, seed,
                 {"rows": rows, "classes": classes, "scale": scale, "right": right, "seed": seed})


cases = [
    # Equal logits: confidence 1/3 is the edge 5/15. Differences of 1000: confidence exactly 1, others exactly 0.
    explicit("three classes on edges", [
        ([1, 1, 1], 0), ([1, 1, 1], 2), ([-7.5, -7.5, -7.5], 1), ([1000, 0, -1000], 0), ([1000, 0, -1000], 0),
        ([0, 1000, -1000], 1), ([2, 1, 0], 0), ([2, 1, 0], 1), ([0, 2, 1], 1), ([0.5, 0.25, 3], 2),
        ([3, 3, -1000], 0), ([3, 3, -1000], 1), ([0.25, 0, 0], 2)], 15),
    # Confidence 1/2 is the edge 5/10; confidence 1 with a wrong answer.
    explicit("two classes on edges", [
        ([4, 4], 0), ([4, 4], 1), ([0, 0], 0), ([0, 90], 1), ([90, 0], 0), ([0, 30], 0), ([1, 0], 0), ([0, 1], 1),
        ([3, 1], 0), ([3, 1], 1), ([0.125, 0], 0), ([12, 0], 0)], 10),
    # Six equal logits: 1/6 is the edge 2/12; four of them 1/4 = 3/12; pairs 1/2 = 6/12.
    explicit("six classes on edges", [
        ([0, 0, 0, 0, 0, 0], 0), ([0, 0, 0, 0, 0, 0], 5), ([5, 5, 5, 5, -200, -200], 2),
        ([5, 5, 5, 5, -200, -200], 0), ([-200, 7, -200, 7, -200, -200], 1), ([-200, 7, -200, 7, -200, -200], 3),
        ([1, 2, 3, 4, 5, 6], 5), ([1, 2, 3, 4, 5, 6], 0), ([6, 5, 4, 3, 2, 1], 0), ([6, 5, 4, 3, 2, 1], 2)], 12),
    explicit("flat", [([2, 2, 2, 2], 0), ([1, 1, 1, 1], 1), ([0, 0, 0, 0], 0), ([3, 3, 3, 3], 3)], 15),
    explicit("separable", [([3, 1], 0), ([1, 4], 1), ([0, 2], 1), ([5, 1], 0), ([2, 0], 0), ([6, 2], 0)], 15),
    made("ten classes, over-confident", 600, 10, 8, 150, 15, 3),
    made("a hundred classes", 400, 100, 6, 128, 15, 4),
    made("a thousand classes, under-confident", 120, 1000, 4, 200, 20, 5),
    made("seventeen classes, seven bins", 333, 17, 16, 180, 7, 6),
    made("two classes, many rows", 5000, 2, 2, 170, 15, 7),
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "calibration_reference.json"), "w") as out:
    json.dump(cases, out, indent=1)
    out.write("\n")
for case in cases:
    e = case["expected"]
    print(case["name"], e["accuracy"], e["ece"], e["temperature"], e["temperature_end"], e["ece_scaled"])
