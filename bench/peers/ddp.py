"""What the DDP peers share: allocators to choose from, ranks that take equally many steps, one line of figures."""
import argparse
import contextlib
import glob
import os
import socket
import time

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def allocators():
    """By name, the environment that a process must start with. "keep": glibc gives no memory back to the system."""
    found = {"default": {}, "keep": {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(2047 << 20),
                                     "MALLOC_TOP_PAD_": str(64 << 20)}}
    for name in ("jemalloc", "tcmalloc"):
        libraries = sorted(glob.glob(f"/usr/lib/*/lib{name}.so*") + glob.glob(f"/usr/lib/*/lib{name}_minimal.so*"))
        if libraries:
            found[name] = {"LD_PRELOAD": libraries[0]}
    return found


def parser(batch):
    """Options of every peer."""
    options = argparse.ArgumentParser()
    options.add_argument("--ranks", type=int, default=2)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    options.add_argument("--batch", type=int, default=batch)
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--choose", action="store_true")
    options.add_argument("--allocator", choices=tuple(allocators()), default="default")
    return options


def precision(args):
    """Autocast for bf16: gloo cannot carry gradients that are bf16 themselves."""
    return torch.autocast("cpu", dtype=torch.bfloat16) if args.precision == "bf16" else contextlib.nullcontext()


def median_step(steps, rank, ranks, args, setting, seconds):
    run = steps(rank, ranks, args, setting)
    for _ in range(3):
        next(run)
    dist.barrier()
    start, times = time.perf_counter(), []
    goes_on = torch.ones(1)
    while goes_on.item() > 0:
        times += [next(run) for _ in range(4)]
        goes_on.fill_(time.perf_counter() - start < seconds)
        dist.all_reduce(goes_on, op=dist.ReduceOp.MIN)
    worst = torch.tensor([sorted(times)[len(times) // 2]], dtype=torch.float64)
    dist.all_reduce(worst, op=dist.ReduceOp.MAX)  # every rank must choose alike
    return worst.item(), len(times)


def rank_main(rank, ranks, steps, args, settings, port, results):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(args.threads)
    dist.init_process_group("gloo", rank=rank, world_size=ranks)
    found = [(median_step(steps, rank, ranks, args, s, 3.0)[0], s) for s in settings] if len(settings) > 1 else []
    setting = min(found)[1] if found else settings[0]
    step, count = median_step(steps, rank, ranks, args, setting, args.seconds)
    if rank == 0:
        results.put((step, count, setting))
    dist.barrier()
    dist.destroy_process_group()


def measured(steps, args, settings, allocator):
    """Starts ranks with this allocator: (seconds a step, steps, setting)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    before = dict(os.environ)
    os.environ.update(allocators()[allocator])
    results = mp.get_context("spawn").SimpleQueue()
    try:
        mp.spawn(rank_main, args=(args.ranks, steps, args, settings, port, results), nprocs=args.ranks)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return results.get()


def fastest(steps, args, settings):
    """steps(rank, ranks, args, setting) yields the seconds of one step after another. With --choose every setting is
    tried with every allocator for a moment, else the first with the one given: (seconds, steps, setting, allocator)."""
    names = list(allocators()) if args.choose else [args.allocator]
    (step, count, setting), allocator = min((measured(steps, args, settings, name), name) for name in names)
    return step, count, setting, allocator
