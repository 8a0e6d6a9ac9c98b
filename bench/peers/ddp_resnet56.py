#!/usr/bin/env python3
"""Images a second of PyTorch DDP (gloo, CPU) training the classic CIFAR ResNet-56 on a fixed random batch.

usage: ddp_resnet56.py [--ranks 2] [--precision bf16|fp32] [--batch 64] [--seconds 10] [--choose]

bf16 means autocast: gloo cannot carry gradients that are bf16 themselves. --choose tries every setting for a moment
first (memory format, foreach optimiser, allocator) and measures the fastest. Prints one line: images_per_second N ...
setting. A step's time is the slowest rank's median.
"""
import argparse
import contextlib
import glob
import itertools
import os
import socket
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F


def allocators():
    """By name, the environment that a process must start with. "keep": glibc gives no memory back to the system."""
    found = {"default": {}, "keep": {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(2047 << 20),
                                     "MALLOC_TOP_PAD_": str(64 << 20)}}
    for name in ("jemalloc", "tcmalloc"):
        libraries = sorted(glob.glob(f"/usr/lib/*/lib{name}.so*") + glob.glob(f"/usr/lib/*/lib{name}_minimal.so*"))
        if libraries:
            found[name] = {"LD_PRELOAD": libraries[0]}
    return found


class Block(nn.Module):
    def __init__(self, fan_in, fan_out):
        super().__init__()
        self.stride = 1 if fan_in == fan_out else 2
        self.conv1 = nn.Conv2d(fan_in, fan_out, 3, self.stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(fan_out)
        self.conv2 = nn.Conv2d(fan_out, fan_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(fan_out)

    def forward(self, x):
        hidden = F.relu(self.norm1(self.conv1(x)), inplace=True)
        hidden = self.norm2(self.conv2(hidden))
        if self.stride == 2:
            zeros = x.shape[1] // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, zeros, zeros))
        return F.relu(hidden + x, inplace=True)


class ResNet56(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        widths = [16] * 10 + [32] * 9 + [64] * 9
        self.blocks = nn.Sequential(*[Block(a, b) for a, b in zip(widths, widths[1:])])
        self.classifier = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)), inplace=True)
        return self.classifier(self.blocks(x).mean((2, 3)))


def steps(rank, ranks, args, setting):
    channels_last, foreach = setting
    torch.manual_seed(rank)
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    model = ResNet56().to(memory_format=memory_format)
    images = torch.randn(args.batch, 3, 32, 32).contiguous(memory_format=memory_format)
    labels = torch.randint(10, (args.batch,))
    model = nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True, broadcast_buffers=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4,
                                foreach=foreach)
    context = torch.autocast("cpu", dtype=torch.bfloat16) if args.precision == "bf16" else contextlib.nullcontext()
    while True:
        begin = time.perf_counter()
        # set_to_none is the default and the faster choice of today's releases.
        optimizer.zero_grad(set_to_none=True)
        with context:
            logits = model(images)
        F.cross_entropy(logits.float(), labels, label_smoothing=0.1).backward()
        optimizer.step()
        yield time.perf_counter() - begin


def median_step(rank, ranks, args, setting, seconds):
    run = steps(rank, ranks, args, setting)
    for _ in range(5):
        next(run)
    dist.barrier()
    start, times = time.perf_counter(), []
    goes_on = torch.ones(1)
    while goes_on.item() > 0:
        times += [next(run) for _ in range(8)]
        goes_on.fill_(time.perf_counter() - start < seconds)
        dist.all_reduce(goes_on, op=dist.ReduceOp.MIN)
    worst = torch.tensor([sorted(times)[len(times) // 2]], dtype=torch.float64)
    dist.all_reduce(worst, op=dist.ReduceOp.MAX)  # every rank must choose alike
    return worst.item(), len(times)


def rank_main(rank, ranks, args, port, results):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(args.threads)
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    default = (args.channels_last, args.foreach)
    settings = list(itertools.product((False, True), (False, True))) if args.choose else [default]
    found = [(median_step(rank, ranks, args, s, 3.0)[0], s) for s in settings] if len(settings) > 1 else []
    setting = min(found)[1] if found else default
    step, count = median_step(rank, ranks, args, setting, args.seconds)
    if rank == 0:
        results.put((step, count, setting))
    dist.barrier()
    dist.destroy_process_group()


def measured(args, allocator):
    """Starts ranks with this allocator: (seconds a step, steps, setting)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = dict(os.environ)
    os.environ.update(allocators()[allocator])
    results = mp.get_context("spawn").SimpleQueue()
    try:
        mp.spawn(rank_main, args=(args.ranks, args, port, results), nprocs=args.ranks)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return results.get()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--foreach", action="store_true")
    parser.add_argument("--allocator", choices=tuple(allocators()), default="default")
    args = parser.parse_args()
    names = list(allocators()) if args.choose else [args.allocator]
    (step, count, setting), allocator = min((measured(args, name), name) for name in names)
    words = ["channels-last" if setting[0] else "contiguous", "foreach" if setting[1] else "loop", allocator]
    flags = [flag for flag, on in zip(("--channels-last", "--foreach"), setting) if on] + ["--allocator", allocator]
    print(f"images_per_second {args.ranks * args.batch / step:.1f}  median_step_ms {1e3 * step:.2f}  steps {count}  "
          f"threads {args.threads}  setting {','.join(words)}  flags {' '.join(flags)}", flush=True)


if __name__ == "__main__":
    main()
