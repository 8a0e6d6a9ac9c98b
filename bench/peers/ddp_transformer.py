#!/usr/bin/env python3
"""Target tokens a second of PyTorch DDP (gloo, CPU) training Transformer base (nn.Transformer, tied embeddings) on a fixed
random batch, padded as its users pad it.

usage: ddp_transformer.py [--ranks 2] [--precision bf16|fp32] [--batch 40] [--vocabulary 32000] [--seconds 10] [--choose]

--batch: sentences a rank, whose lengths are those of translation_bench. --choose tries every setting for a moment first
(foreach optimiser, allocator) and measures the fastest. --loss measures the loss alone instead: the greatest memory that
cross-entropy over the vocabulary takes, forward and backward, beyond what was there before.
"""
import math
import resource
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import ddp

WIDTH = 512


class Translator(nn.Module):
    def __init__(self, vocabulary):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, WIDTH, padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=WIDTH**-0.5)
        self.transformer = nn.Transformer(WIDTH, 8, 6, 6, 2048, dropout=0.1, batch_first=True, norm_first=True)
        position = torch.arange(512).unsqueeze(1) * torch.exp(-torch.arange(WIDTH // 2) * math.log(1e4) / (WIDTH // 2 - 1))
        self.register_buffer("positions", torch.cat([position.sin(), position.cos()], 1))
        self.dropout = nn.Dropout(0.1)

    def embed(self, tokens):
        return self.dropout(self.embedding(tokens) * math.sqrt(WIDTH) + self.positions[: tokens.shape[1]])

    def forward(self, source, target):
        padding = source.eq(0)
        causal = self.transformer.generate_square_subsequent_mask(target.shape[1])
        hidden = self.transformer(self.embed(source), self.embed(target), tgt_mask=causal, src_key_padding_mask=padding,
                                  memory_key_padding_mask=padding)
        return F.linear(hidden, self.embedding.weight)


def lengths(batch):
    return [20 + sentence * 7 % 11 for sentence in range(batch)]


def sentences(batch, vocabulary):
    rows = torch.zeros(batch, max(lengths(batch)), dtype=torch.long)
    for row, length in zip(rows, lengths(batch)):
        row[:length] = torch.randint(4, vocabulary, (length,))
    return rows


def steps(rank, ranks, args, foreach):
    torch.manual_seed(rank)
    model = nn.parallel.DistributedDataParallel(Translator(args.vocabulary), gradient_as_bucket_view=True)
    source, target = sentences(args.batch, args.vocabulary), sentences(args.batch, args.vocabulary)
    labels = target.roll(-1, 1)
    labels[:, -1] = 0
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, betas=(0.9, 0.98), eps=1e-9, foreach=foreach)
    while True:
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with ddp.precision(args):
            logits = model(source, target)
        F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=0, label_smoothing=0.1).backward()
        optimizer.step()
        yield time.perf_counter() - begin


def memory_of_loss(args):
    """Bytes beyond features, weight and their gradients."""
    torch.set_num_threads(args.threads)
    rows = sum(lengths(args.batch))
    features = torch.randn(rows, WIDTH).bfloat16().requires_grad_()
    weight = torch.randn(args.vocabulary, WIDTH, requires_grad=True)
    features.grad, weight.grad = torch.zeros_like(features), torch.zeros_like(weight)
    labels = torch.randint(args.vocabulary, (rows,))
    (torch.randn(64, 64).bfloat16() @ torch.randn(64, 64).bfloat16()).sum()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = F.linear(features, weight)
    F.cross_entropy(logits.float(), labels, label_smoothing=0.1).backward()
    return 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before), rows


def main():
    parser = ddp.parser(batch=40)
    parser.add_argument("--vocabulary", type=int, default=32000)
    parser.add_argument("--foreach", action="store_true")
    parser.add_argument("--loss", action="store_true")
    args = parser.parse_args()
    if args.loss:
        size, rows = memory_of_loss(args)
        print(f"loss_megabytes {size / 1e6:.1f}  rows {rows}  vocabulary {args.vocabulary}", flush=True)
        return
    step, count, foreach, allocator = ddp.fastest(steps, args, [False, True] if args.choose else [args.foreach])
    tokens = args.ranks * sum(lengths(args.batch))
    flags = (["--foreach"] if foreach else []) + ["--allocator", allocator]
    print(f"tokens_per_second {tokens / step:.1f}  median_step_ms {1e3 * step:.2f}  steps {count}  threads {args.threads}  "
          f"setting {'foreach' if foreach else 'loop'},{allocator}  flags {' '.join(flags)}", flush=True)


if __name__ == "__main__":
    main()
