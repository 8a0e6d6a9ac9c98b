#!/usr/bin/env python3
"""What PyTorch has here, or its rate of matrix products, as one JSON object.

usage: torch_machine.py [--matrix-rate N --device cuda|cpu]: TFLOP/s of bf16 products of N×N matrices, the best of
ten times a moment.
"""
import argparse
import json
import platform
import time

import torch


def machine():
    try:
        import timm

        timm_version = timm.__version__
    except ImportError:
        timm_version = None
    cuda = torch.cuda.is_available()
    return {
        "python": platform.python_version(), "torch": torch.__version__, "timm": timm_version,
        "compile": hasattr(torch, "compile"), "cuda": torch.version.cuda if cuda else None,
        "gpu": torch.cuda.get_device_name(0) if cuda else None,
        "cudnn": torch.backends.cudnn.version() if cuda else None,
    }


def matrix_rate(size, device):
    a, b = (torch.randn(size, size, device=device).to(torch.bfloat16) for _ in range(2))
    out = torch.empty_like(a)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    best = 0.0
    for _ in range(11):  # the first is warm-up
        wait()
        begin, count = time.perf_counter(), 0
        while count < 10:
            torch.matmul(a, b, out=out)
            count += 1
        wait()
        best = max(best, 2.0 * size ** 3 * count / (time.perf_counter() - begin))
    return {"tflops": best / 1e12, "size": size}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--matrix-rate", type=int)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    args = parser.parse_args()
    print(json.dumps(matrix_rate(args.matrix_rate, args.device) if args.matrix_rate else machine()), flush=True)


if __name__ == "__main__":
    main()
