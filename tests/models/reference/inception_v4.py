#!/usr/bin/env python3
"""The figures of inception_v4_test.cpp, from a second writing of the network in PyTorch.

Needs torch alone (made with 1.13.0, float64, CPU; float32 beside it shows what rounding does):

    python3 tests/models/reference/inception_v4.py

Blocks follow figures 3 to 9 of Szegedy et al. 2016, with the numbers of filters, the order of convolutions and the
auxiliary head of TF-slim's nets/inception_v4.py. Parameters are filled with hashed numbers in the order of construction,
as in networks.py.
"""
import math

import torch
import torch.nn.functional as F

CLASSES, BATCH, HEIGHT, WIDTH = 1000, 3, 155, 107
DECAY, EPSILON, AUXILIARY = 0.9997, 1e-3, 0.4


def hashed(shape, phase, scale):
    """Numbers on [-scale, scale) from an integer hash of element and phase, rounded to float32."""
    mask = 0xFFFFFFFF
    # A product of two numbers below 2^32 wraps in int64, and the low 32 bits are what they should be.
    h = (torch.arange(math.prod(shape), dtype=torch.int64) * 2654435761 + 97531 * phase) & mask
    h ^= h >> 15
    h = (h * 2246822519) & mask
    h ^= h >> 13
    return (scale * (h.double() / 2147483648.0 - 1)).float().double().reshape(shape)


class Network:
    """Makes parameters as the first pass asks for them: the k-th, from 1, has phase k."""

    def __init__(self, dtype):
        self.parameters, self.running, self.dtype, self.training = {}, {}, dtype, True

    def make(self, name, shape, kind):
        if name not in self.parameters:
            bound = math.sqrt(6 / math.prod(shape[1:])) if kind == "weight" else 0.3
            value = hashed(shape, len(self.parameters) + 1, bound)
            if kind == "scale":
                value = (value.float() + 1).double()
            self.parameters[name] = value.to(self.dtype).requires_grad_()
        return self.parameters[name]

    def conv(self, x, place, filters, height, width, stride=1, valid=False):
        """place: "BLOCK N"."""
        block, number = place.split()
        weight = self.make(f"{block}.conv{number}.weight", [filters, x.shape[1], height, width], "weight")
        norm = f"{block}.norm{number}"
        scale, bias = self.make(norm + ".weight", [filters], "scale"), self.make(norm + ".bias", [filters], "bias")
        padding = (0, 0) if valid else ((height - 1) // 2, (width - 1) // 2)
        x = F.conv2d(x, weight, stride=stride, padding=padding)
        mean, variance = self.running.setdefault(
            norm, (torch.zeros(filters, dtype=self.dtype), torch.ones(filters, dtype=self.dtype)))
        return F.relu(F.batch_norm(x, mean, variance, scale, bias, self.training, 1 - DECAY, EPSILON))

    def dense(self, x, name):
        weight = self.make(name + ".weight", [CLASSES, x.shape[1]], "weight")
        return F.linear(x, weight, self.make(name + ".bias", [CLASSES], "bias"))

    def stem(self, x):
        x = self.conv(x, "stem 1", 32, 3, 3, 2, True)
        x = self.conv(x, "stem 2", 32, 3, 3, 1, True)
        x = self.conv(x, "stem 3", 64, 3, 3)
        x = torch.cat([shrunk(x), self.conv(x, "mixed_3a.branch1 1", 96, 3, 3, 2, True)], 1)
        b = "mixed_4a.branch"
        left = self.conv(x, b + "0 1", 64, 1, 1)
        left = self.conv(left, b + "0 2", 96, 3, 3, 1, True)
        right = self.conv(x, b + "1 1", 64, 1, 1)
        right = self.conv(right, b + "1 2", 64, 1, 7)
        right = self.conv(right, b + "1 3", 64, 7, 1)
        right = self.conv(right, b + "1 4", 96, 3, 3, 1, True)
        x = torch.cat([left, right], 1)
        return torch.cat([self.conv(x, "mixed_5a.branch0 1", 192, 3, 3, 2, True), shrunk(x)], 1)

    def inception_a(self, x, b):
        one = self.conv(x, b + "0 1", 96, 1, 1)
        three = self.conv(self.conv(x, b + "1 1", 64, 1, 1), b + "1 2", 96, 3, 3)
        five = self.conv(self.conv(x, b + "2 1", 64, 1, 1), b + "2 2", 96, 3, 3)
        five = self.conv(five, b + "2 3", 96, 3, 3)
        return torch.cat([one, three, five, self.conv(averaged(x), b + "3 1", 96, 1, 1)], 1)

    def reduction_a(self, x, b):
        three = self.conv(x, b + "0 1", 384, 3, 3, 2, True)
        five = self.conv(self.conv(x, b + "1 1", 192, 1, 1), b + "1 2", 224, 3, 3)
        five = self.conv(five, b + "1 3", 256, 3, 3, 2, True)
        return torch.cat([three, five, shrunk(x)], 1)

    def inception_b(self, x, b):
        one = self.conv(x, b + "0 1", 384, 1, 1)
        seven = self.conv(self.conv(x, b + "1 1", 192, 1, 1), b + "1 2", 224, 1, 7)
        seven = self.conv(seven, b + "1 3", 256, 7, 1)
        far = self.conv(self.conv(x, b + "2 1", 192, 1, 1), b + "2 2", 192, 7, 1)
        far = self.conv(far, b + "2 3", 224, 1, 7)
        far = self.conv(far, b + "2 4", 224, 7, 1)
        far = self.conv(far, b + "2 5", 256, 1, 7)
        return torch.cat([one, seven, far, self.conv(averaged(x), b + "3 1", 128, 1, 1)], 1)

    def reduction_b(self, x, b):
        three = self.conv(self.conv(x, b + "0 1", 192, 1, 1), b + "0 2", 192, 3, 3, 2, True)
        seven = self.conv(self.conv(x, b + "1 1", 256, 1, 1), b + "1 2", 256, 1, 7)
        seven = self.conv(seven, b + "1 3", 320, 7, 1)
        seven = self.conv(seven, b + "1 4", 320, 3, 3, 2, True)
        return torch.cat([three, seven, shrunk(x)], 1)

    def inception_c(self, x, b):
        one = self.conv(x, b + "0 1", 256, 1, 1)
        root = self.conv(x, b + "1 1", 384, 1, 1)
        two = [self.conv(root, b + "1 2", 256, 1, 3), self.conv(root, b + "1 3", 256, 3, 1)]
        root = self.conv(x, b + "2 1", 384, 1, 1)
        root = self.conv(self.conv(root, b + "2 2", 448, 3, 1), b + "2 3", 512, 1, 3)
        four = [self.conv(root, b + "2 4", 256, 1, 3), self.conv(root, b + "2 5", 256, 3, 1)]
        return torch.cat([one] + two + four + [self.conv(averaged(x), b + "3 1", 256, 1, 1)], 1)

    def auxiliary(self, x):
        x = self.conv(F.avg_pool2d(x, 5, 3), "auxiliary 1", 128, 1, 1)
        x = self.conv(x, "auxiliary 2", 768, x.shape[2], x.shape[3], 1, True)
        return self.dense(x.flatten(1), "auxiliary.classifier")

    def __call__(self, images):
        x = self.stem(images.to(self.dtype))
        for letter in "bcde":
            x = self.inception_a(x, f"mixed_5{letter}.branch")
        x = self.reduction_a(x, "mixed_6a.branch")
        for letter in "bcdefgh":
            x = self.inception_b(x, f"mixed_6{letter}.branch")
        auxiliary = self.auxiliary(x) if self.training else None
        x = self.reduction_b(x, "mixed_7a.branch")
        for letter in "bcd":
            x = self.inception_c(x, f"mixed_7{letter}.branch")
        return self.dense(x.mean((2, 3)), "classifier"), auxiliary


def shrunk(x):
    return F.max_pool2d(x, 3, 2)


def averaged(x):
    """3x3, SAME: the mean of those pixels of the window that are in the image."""
    box = torch.ones(x.shape[1], 1, 3, 3, dtype=x.dtype)
    there = F.conv2d(torch.ones_like(x[:1, :1]), box[:1], padding=1)
    return F.conv2d(x, box, padding=1, groups=x.shape[1]) / there


def row(logits):
    return "{" + ", ".join(f"{v:.7f}" for v in logits[:4].tolist()) + "}"


def report(dtype):
    network, images, labels = Network(dtype), hashed([BATCH, 3, HEIGHT, WIDTH], 1001, 2), torch.arange(BATCH)
    logits, auxiliary = network(images)
    loss = F.cross_entropy(logits, labels) + AUXILIARY * F.cross_entropy(auxiliary, labels)
    loss.backward()
    count = lambda prefix: sum(v.numel() for k, v in network.parameters.items() if k.startswith(prefix))
    print(f"{dtype}: {count('') - count('auxiliary.')} parameters, {count('auxiliary.')} of the auxiliary head")
    print(f"  loss {loss.item():.9f}\n  first     {row(logits[0])}\n  last      {row(logits[-1])}")
    print(f"  auxiliary {row(auxiliary[-1])}")
    for name in ["stem.conv1.weight", "mixed_4a.branch1.conv2.weight", "mixed_5c.branch3.conv1.weight",
                 "mixed_6d.branch2.norm4.weight", "mixed_6f.branch2.conv3.weight", "auxiliary.conv2.weight",
                 "mixed_7a.branch1.conv3.weight", "mixed_7c.branch2.conv4.weight", "mixed_7d.branch1.norm3.bias",
                 "classifier.weight"]:
        gradient = network.parameters[name].grad.double()
        projection = (gradient * hashed(list(gradient.shape), 300, 1)).sum().item()
        print(f'  {{"{name}", {gradient.norm().item():.9f}, {projection:.9f}}},')
    network.training = False
    with torch.no_grad():
        logits, _ = network(images)
    print(f"  running: norm {logits.norm().item():.6f}, last {row(logits[-1])}")


if __name__ == "__main__":
    report(torch.float64)
    report(torch.float32)
