#!/usr/bin/env python3
"""Images a second of PyTorch DDP (gloo, CPU) training Inception-v4 on a fixed batch, with an average of the weights.

usage: ddp_inception_v4.py [--ranks 2] [--threads 1] [--precision bf16|fp32] [--batch 8] [--seconds 30] [--folder FOLDER]
                           [--choose | --allocator NAME --memory M --optimizer O --model-type T]

--folder: the weights and images that inception_bench left there. --choose tries the settings one after the other, each
with the best of those before it, and takes the fastest: memory format, optimiser, the network's own type (autocast over
float32 weights, or bf16 weights without a float32 copy and normalisation in float32, reduced by hand after backward),
allocator. Prints one line: images_per_second N ... losses of the first three steps, setting.
"""
import contextlib
import itertools
import resource
import time

import torch
import torch.distributed as dist
import torch.nn as nn
import torch.nn.functional as F

import ddp
import inception_v4
from torch_decoding import read_safetensors

CHOICES = {"memory": ("channels_last", "contiguous"), "optimizer": ("foreach", "loop"), "model_type": ("autocast", "bf16"),
           "allocator": tuple(ddp.allocators())}


def reduce_in_float32(model, ranks):
    """What DDP does for others: it cannot start with bf16 weights, which gloo does not carry."""
    gradients = [p.grad for p in model.parameters()]
    flat = torch.cat([g.permute(0, 2, 3, 1).flatten().float() if g.dim() == 4 else g.flatten().float() for g in gradients])
    dist.all_reduce(flat)
    flat /= ranks
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
        rows = gradient.permute(0, 2, 3, 1) if gradient.dim() == 4 else gradient
        rows.copy_(part.view(rows.shape))


def steps(rank, ranks, args, setting):
    memory, optimizer_kind, model_type = setting
    memory_format = torch.channels_last if memory == "channels_last" else torch.contiguous_format
    torch.manual_seed(1)
    model = inception_v4.InceptionV4()
    images = torch.randn(args.batch, 3, 299, 299)
    if args.folder:
        given = read_safetensors(f"{args.folder}/weights.safetensors")
        for parameter, weight in zip(model.parameters(), given.values(), strict=True):
            parameter.data.copy_(weight)
        images = read_safetensors(f"{args.folder}/images{rank}.safetensors")["images"]
    model = model.to(memory_format=memory_format)
    images = images.contiguous(memory_format=memory_format)
    labels = torch.arange(args.batch) + rank * args.batch
    narrow = args.precision == "bf16" and model_type == "bf16"
    if narrow:
        images = images.bfloat16()
        for layer in model.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                layer.to(torch.bfloat16)
    parallel = model if narrow else nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True,
                                                                        broadcast_buffers=False)
    groups = [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 8e-5},
              {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.01, momentum=0.9, nesterov=True, foreach=optimizer_kind == "foreach")
    averaged = [t for t in itertools.chain(model.parameters(), model.buffers()) if t.is_floating_point()]
    averages = [t.detach().clone() for t in averaged]
    losses = []
    while True:
        begin = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with contextlib.nullcontext() if narrow else ddp.precision(args):
            logits = parallel(images)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=0.1)
        loss.backward()
        if narrow:
            reduce_in_float32(model, ranks)
        optimizer.step()
        with torch.no_grad():
            for average, value in zip(averages, averaged):
                average.lerp_(value, 1 - 0.9999)
        yield time.perf_counter() - begin
        if len(losses) < 3:
            mean = loss.detach().clone()
            dist.all_reduce(mean)
            losses.append(f"{mean.item() / ranks:.6f}")
            if len(losses) == 3 and rank == 0 and not args.choose:
                print(f"losses {','.join(losses)}  parameters {sum(p.numel() for p in model.parameters())}", flush=True)


def measure(args, setting):
    setting = dict(setting)
    step, count, _ = ddp.measured(steps, args, [tuple(setting[k] for k in ("memory", "optimizer", "model_type"))],
                                  setting["allocator"])
    return step, count


def main():
    parser = ddp.parser(batch=8)
    parser.add_argument("--folder", default="")
    for name in ("memory", "optimizer", "model_type"):
        parser.add_argument("--" + name.replace("_", "-"), choices=CHOICES[name], default=CHOICES[name][0])
    args = parser.parse_args()
    setting = {name: getattr(args, name) for name in CHOICES}
    if args.choose:
        best = None
        for name, values in CHOICES.items():
            for value in values:
                if best is not None and setting[name] == value:
                    continue
                trial = {**setting, name: value}
                step, count = measure(args, trial)
                print(f"tried {','.join(trial.values())}: {args.ranks * args.batch / step:.3f} images/s", flush=True)
                if best is None or step < best[0]:
                    best, chosen = (step, count), trial
            setting = chosen
        step, count = best
    else:
        step, count = measure(args, setting)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    flags = [f"--{name.replace('_', '-')} {value}" for name, value in setting.items()]
    print(f"images_per_second {args.ranks * args.batch / step:.3f}  median_step_ms {1e3 * step:.1f}  steps {count}  "
          f"threads {args.threads}  peak_megabytes {1.024e-3 * peak:.0f}  setting {','.join(setting.values())}  "
          f"flags {' '.join(flags)}", flush=True)


if __name__ == "__main__":
    main()
