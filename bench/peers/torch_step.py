#!/usr/bin/env python3
"""Training steps of PyTorch on one device: forward, smoothed cross-entropy, backward, SGD; one batch again and again.

usage: torch_step.py --model resnet56|alexnet [--variant eager|ddp|compile|timm] [--precision bf16|fp32] [--batch 128]
                     [--device cuda|cpu] [--seconds 5] [--window 50] (--choose | --settings JSON)

bf16 means autocast. --choose tries the settings of the variant, one at a time from what was best so far, and prints
those that are fastest. With --settings the process prints what it measures, then answers each line "measure" of stdin
with a measurement; it ends with stdin. Every answer is one JSON object on a line of stdout.
"""
import argparse
import contextlib
import gc
import json
import sys
import time

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F

import torch_networks

CLASSES = 10
DEFAULTS = {"memory": "channels_last", "optimizer": "foreach", "mode": "default", "local_norm": "banded"}
MODES = ("default", "reduce-overhead", "max-autotune")


def choices(args):
    """Settings to try, in this order: name and values."""
    # Captured graphs and tuned kernels are for a GPU; on the CPU compiling alone takes long enough.
    tunable = args.variant == "compile" and args.device == "cuda"
    found = [("mode", MODES)] if tunable else []
    if args.model == "alexnet" and args.variant != "timm":
        found.append(("local_norm", ("banded", "library")))
    optimizers = ("foreach", "fused") + (("compiled",) if tunable else ())
    return found + [("memory", ("channels_last", "contiguous")), ("optimizer", optimizers)]


class Training:
    def __init__(self, args, settings):
        self.args, self.settings = args, settings
        torch.manual_seed(1)
        side = torch_networks.SIDES[args.model]
        memory = getattr(torch, settings["memory"] if settings["memory"] == "channels_last" else "contiguous_format")
        self.images = torch.randn(args.batch, 3, side, side, device=args.device).contiguous(memory_format=memory)
        self.labels = torch.randint(CLASSES, (args.batch,), device=args.device)
        model = torch_networks.make_network(args.model, CLASSES, settings)
        decayed = model.decayed()
        if args.variant == "timm":
            import timm

            name = torch_networks.timm_name(args.model, torch_networks.parameter_count(model))
            model = timm.create_model(name, num_classes=CLASSES)
            decayed = {p: 1e-4 if p.dim() > 1 else 0.0 for p in model.parameters()}
        # Moving a network keeps its parameters' identity.
        self.model = model.to(args.device).to(memory_format=memory)
        self.model.train()
        self.parameters = torch_networks.parameter_count(self.model)
        self.multiply_adds = torch_networks.multiply_adds(self.model, self.images)
        self.optimizer = self.make_optimizer(decayed)
        self.update = self.optimizer.step
        if settings["optimizer"] == "compiled":
            self.update = torch.compile(self.optimizer.step)
        network = self.model
        if args.variant == "ddp":
            network = nn.parallel.DistributedDataParallel(network, gradient_as_bucket_view=True,
                                                          broadcast_buffers=False)

        def loss_of(images, labels):
            with self.precision():
                logits = network(images)
            return F.cross_entropy(logits.float(), labels, label_smoothing=0.1)

        self.loss_of = loss_of
        if args.variant == "compile":
            self.loss_of = torch.compile(loss_of, mode=settings["mode"])

    def precision(self):
        if self.args.precision == "bf16":
            return torch.autocast(self.args.device, dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def make_optimizer(self, decayed):
        groups = [{"params": [p for p in decayed if decayed[p] == decay], "weight_decay": decay}
                  for decay in sorted(set(decayed.values()))]
        how = {"fused": True} if self.settings["optimizer"] == "fused" else {"foreach": True}
        momentum = 0.9 if self.args.model == "resnet56" else 0.0
        return torch.optim.SGD(groups, lr=0.01, momentum=momentum, nesterov=momentum > 0, **how)

    def step(self):
        if hasattr(torch, "compiler") and hasattr(torch.compiler, "cudagraph_mark_step_begin"):
            if self.args.variant == "compile":
                torch.compiler.cudagraph_mark_step_begin()
        self.optimizer.zero_grad(set_to_none=True)
        self.loss_of(self.images, self.labels).backward()
        self.update()

    def wait(self):
        if self.args.device == "cuda":
            torch.cuda.synchronize()

    def rates(self, seconds):
        """Images a second of each window of steps, the device awaited at its end."""
        found, start = [], time.perf_counter()
        while len(found) < 3 or time.perf_counter() - start < seconds:
            begin = time.perf_counter()
            for _ in range(self.args.window):
                self.step()
            self.wait()
            found.append(self.args.batch * self.args.window / (time.perf_counter() - begin))
        return sorted(found)

    def warm_up(self):
        for _ in range(3 if self.args.window > 1 else 1):
            for _ in range(self.args.window):
                self.step()
            self.wait()

    def measure(self):
        on_device = self.args.device == "cuda"
        if on_device:
            torch.cuda.reset_peak_memory_stats()
        rates = self.rates(self.args.seconds)
        rate = rates[len(rates) // 2]
        launches = []
        for _ in range(5):
            self.wait()
            begin = time.perf_counter()
            self.step()
            launches.append(time.perf_counter() - begin)
        self.wait()
        return {
            "images_per_second": rate, "windows": len(rates),
            # From the first call of a step to the return of its last, nothing queued before.
            "host_share": min(1.0, sorted(launches)[2] * rate / self.args.batch) if on_device else None,
            "allocated_bytes": torch.cuda.max_memory_allocated() if on_device else None,
        }


def tried(args, settings):
    """Images a second, or why there are none."""
    try:
        training = Training(args, settings)
        training.warm_up()
        rates = training.rates(min(args.seconds, 2.0))
        return rates[len(rates) // 2], ""
    except Exception as error:  # a setting that this release lacks is not the fastest
        return 0.0, f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
    finally:
        training = None
        gc.collect()
        if hasattr(torch, "_dynamo"):
            torch._dynamo.reset()
        if args.device == "cuda":
            torch.cuda.empty_cache()


def choose(args):
    settings, log, best, reason = dict(DEFAULTS), [], 0.0, ""
    for name, values in choices(args):
        found = []
        for value in values:
            rate, why = tried(args, {**settings, name: value})
            log.append({name: value, "images_per_second": rate, **({"error": why} if why else {})})
            found.append((rate, value))
            reason = why or reason
        best, settings[name] = max(found, key=lambda pair: pair[0])
    if best == 0:
        raise SystemExit(f"error: no setting runs; the last said {reason}")
    relevant = {name for name, _ in choices(args)}
    return {"settings": settings, "words": [settings[n] for n in settings if n in relevant], "tried": log}


def answer(value):
    print(json.dumps(value), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=tuple(torch_networks.SIDES), default="resnet56")
    parser.add_argument("--variant", choices=("eager", "ddp", "compile", "timm"), default="eager")
    parser.add_argument("--precision", choices=("bf16", "fp32"), default="bf16")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--settings", type=json.loads, default=DEFAULTS)
    args = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    # fp32 is fp32, as on the other side.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    if args.variant == "ddp":
        backend = "nccl" if args.device == "cuda" else "gloo"
        dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
    if args.choose:
        answer(choose(args))
        return
    training = Training(args, args.settings)
    training.warm_up()
    answer({"parameters": training.parameters, "multiply_adds": training.multiply_adds})
    for line in sys.stdin:
        if line.strip() == "measure":
            answer(training.measure())


if __name__ == "__main__":
    main()
