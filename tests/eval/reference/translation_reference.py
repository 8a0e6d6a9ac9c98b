#!/usr/bin/env python3
"""Makes translation_reference.json: what bleu_test.cpp, chrf_test.cpp and corpus_resampling_test.cpp must agree with.

Run by hand with sacreBLEU 2 and NumPy 1:  python3 tests/eval/reference/translation_reference.py
Scores are sacreBLEU's through its Python interface, in full precision. The text is made here and stored beside them: words,
numbers with signs, entities, Greek, Turkish, Chinese, symbols, and white space of all kinds.
"""
import json
import logging
import os
import random

import numpy as np
import sacrebleu
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest, _bootstrap_resample

assert sacrebleu.__version__.startswith("2.") and np.__version__.startswith("1.")
logging.disable(logging.CRITICAL)
os.environ["SACREBLEU_SEED"] = "12345"
rng = random.Random(7)

WORDS = "the a cat dog sat on mat The Cat house don't well-known U.S. e.g. etc.".split()
ODD = ("1,000.5 3. .5 5- 5-5 - -- ,,, .,. a.b a,b 3-a &amp; &lt;b&gt; &quot;hi&quot; &amp;lt; <skipped> (hi) [x] $5 50% #1 "
       "ΑΣ ΣΑΣ Σ. İstanbul ISPARTA Straße ẞ Ǆ 東京大学 你好。 「は」 «oui» “no” ‘s’ – — … ½ ٣،٤ x² ⅷ 5€ → 😀 é "
       "a\u200bb \ufeff").split(" ")
SPACE = [" "] * 12 + ["\t", "\u00a0", "\u2003", "\u3000", "\u2028", "\x1c", "\x85", "  "]


def segment():
    if rng.random() < 0.06:
        return ""
    words = (rng.choice(WORDS if rng.random() < 0.6 else ODD) for _ in range(rng.randint(1, 14)))
    return "".join(word + rng.choice(SPACE) for word in words).rstrip()


def changed(text):
    words = text.split(" ")
    for i, word in enumerate(words):
        draw = rng.random()
        words[i] = rng.choice(WORDS + ODD) if draw < 0.12 else word.swapcase() if draw < 0.18 else "" if draw < 0.22 else word
    return " ".join(words).rstrip()


base = [segment() for _ in range(40)]
systems = [[changed(text) for text in base] for _ in range(3)]
references = [[changed(text) for text in base] for _ in range(2)]
# Where a segment has fewer references than others, sacreBLEU is given None.
some = [references[0], [None if i % 3 == 0 else text for i, text in enumerate(references[1])]]


def bleu_case(metric, refs, options):
    score = metric.corpus_score(systems[0], refs)
    return dict(options, score=score.score, precisions=score.precisions, bp=score.bp, hyp_len=score.sys_len,
                ref_len=score.ref_len, verbose=score._verbose, signature=str(metric.get_signature()).rsplit("|", 1)[0])


bleu = []
for tokenize in ("13a", "none", "char", "intl"):
    for smooth, value in (("exp", None), ("floor", None), ("floor", 0.37), ("add-k", None), ("add-k", 0.7), ("none", None)):
        for lowercase in (False, True):
            options = dict(tokenize=tokenize, smooth=smooth, value=value, lowercase=lowercase, effective=False, references="all")
            metric = dict(tokenize=tokenize, smooth_method=smooth, smooth_value=value, lowercase=lowercase)
            bleu.append(bleu_case(BLEU(**metric), references, options))
for refs, given in (("some", some), ("one", references[:1])):
    options = dict(tokenize="13a", smooth="exp", value=None, lowercase=False, effective=True, references=refs)
    bleu.append(bleu_case(BLEU(effective_order=True), given, options))

chrf = []
for options in (dict(), dict(word_order=2), dict(word_order=1, lowercase=True), dict(char_order=3, beta=3, whitespace=True),
                dict(eps_smoothing=True), dict(word_order=2, whitespace=True, lowercase=True, eps_smoothing=True)):
    metric = CHRF(**options)
    score = metric.corpus_score(systems[0], references)
    sentences = [metric.sentence_score(text, list(refs)).score for text, *refs in zip(systems[0], *references)]
    chrf.append(dict(dict(char_order=6, word_order=0, beta=2, lowercase=False, whitespace=False, eps_smoothing=False), **options,
                     score=score.score, name=score.name, sentences=sentences,
                     signature=str(metric.get_signature()).rsplit("|", 1)[0]))

sentences = [BLEU(effective_order=True, smooth_method=smooth).sentence_score(text, list(refs)).score
             for smooth in ("exp", "add-k") for text, *refs in zip(systems[0], *references)]

confidence = []
for metric in (BLEU(), BLEU(smooth_method="add-k", smooth_value=0.7), CHRF(word_order=2)):
    for resamples in (2, 300, 1000):
        score = metric.corpus_score(systems[0], references, n_bootstrap=resamples)
        confidence.append([float(score._mean), float(score._ci)])

paired = {}
signatures, results = PairedTest([(str(i), text) for i, text in enumerate(systems)], {"BLEU": BLEU(), "CHRF": CHRF()}, references,
                                 test_type="bs", n_samples=500)()
for name, signature in signatures.items():
    paired[name] = dict(signature=str(signature).rsplit("|", 1)[0],
                        systems=[[r.score, float(r.mean), float(r.ci), r.p_value] for r in results[name]])

# Sums beyond 2^24 are rounded in single precision.
large = [[int(x) for x in np.random.default_rng(5).integers(900001, 5000000, 10)] for _ in range(30)]
for i, counts in enumerate(large):
    counts[:] = [5000003 + 17 * i, 5000101 + 13 * i] + [count // (n + 2) for n, count in enumerate(counts[2:6])] + \
        [5000003 + 17 * i - n for n in range(4)]
_, scores = _bootstrap_resample(large, BLEU(), 5)

draws = [dict(seed=seed, n=n, draws=[int(x) for x in np.random.default_rng(seed).choice(n, size=7)])
         for seed, n in ((12345, 3000), (12345, 1), (0, 10), (1, 4294967295), (2**40 + 7, 3221225472), (99, 2))]

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "translation_reference.json")
with open(path, "w", encoding="ascii") as out:
    json.dump(dict(made_with=f"sacreBLEU {sacrebleu.__version__}, NumPy {np.__version__}", systems=systems, references=references,
                   bleu=bleu, bleu_sentences=sentences, chrf=chrf, confidence=confidence, paired=paired, large=large,
                   large_scores=[float(s.score) for s in scores], draws=draws), out, indent=0)
    out.write("\n")
