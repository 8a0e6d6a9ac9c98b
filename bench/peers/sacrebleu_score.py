"""Scores HYPOTHESES against REFERENCE with sacreBLEU and prints what it took, a line a task: its name, seconds, the score.
Every task has a metric of its own, so that nothing is cached from one to the next; reading and importing are not timed."""
import sys
import time

try:
    import sacrebleu
    from sacrebleu.metrics import BLEU, CHRF
except ImportError as error:
    print(f"missing {error}")
    sys.exit(0)
import numpy

hypotheses, references = ([line.rstrip() for line in open(path, encoding="utf-8", newline="\n")] for path in sys.argv[1:])
tasks = {
    "bleu": lambda: BLEU().corpus_score(hypotheses, [references]),
    "intl": lambda: BLEU(tokenize="intl").corpus_score(hypotheses, [references]),
    "chrf": lambda: CHRF().corpus_score(hypotheses, [references]),
    "confidence": lambda: BLEU().corpus_score(hypotheses, [references], n_bootstrap=1000),
}
print(f"version {sacrebleu.__version__}, Python {sys.version.split()[0]}, NumPy {numpy.__version__}")
for name, task in tasks.items():
    begin = time.perf_counter()
    score = task().score
    print(name, repr(time.perf_counter() - begin), repr(score))
