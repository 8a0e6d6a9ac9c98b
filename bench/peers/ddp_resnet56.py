#!/usr/bin/env python3
"""Images a second of PyTorch DDP (gloo, CPU) training the classic CIFAR ResNet-56 on a fixed random batch.

usage: ddp_resnet56.py [--ranks 2] [--precision bf16|fp32] [--batch 64] [--seconds 10] [--choose]

--choose tries every setting for a moment
first (memory format, foreach optimiser, allocator) and measures the fastest. Prints one line: images_per_second N ...
setting. A step's time is the slowest rank's median.
"""
import itertools
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

import ddp


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
    while True:
        begin = time.perf_counter()
        # set_to_none is the default and the faster choice of today's releases.
        optimizer.zero_grad(set_to_none=True)
        with ddp.precision(args):
            logits = model(images)
        F.cross_entropy(logits.float(), labels, label_smoothing=0.1).backward()
        optimizer.step()
        yield time.perf_counter() - begin


def main():
    parser = ddp.parser(batch=64)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--foreach", action="store_true")
    args = parser.parse_args()
    settings = list(itertools.product((False, True), (False, True))) if args.choose else [(args.channels_last, args.foreach)]
    step, count, setting, allocator = ddp.fastest(steps, args, settings)
    words = ["channels-last" if setting[0] else "contiguous", "foreach" if setting[1] else "loop", allocator]
    flags = [flag for flag, on in zip(("--channels-last", "--foreach"), setting) if on] + ["--allocator", allocator]
    print(f"images_per_second {args.ranks * args.batch / step:.1f}  median_step_ms {1e3 * step:.2f}  steps {count}  "
          f"threads {args.threads}  setting {','.join(words)}  flags {' '.join(flags)}", flush=True)


if __name__ == "__main__":
    main()
