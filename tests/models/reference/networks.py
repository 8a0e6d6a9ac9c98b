#!/usr/bin/env python3
"""The figures of reference_network_test.cpp, from a second writing of the networks in PyTorch.

Needs torch alone (made with 1.13.0, float64, CPU):

    python3 tests/models/reference/networks.py

Networks follow the descriptions of their sources, not this program: He et al. 2016, sec. 4.2 with shortcuts of
option A (zeros on either side of the old channels); tensor2tensor's models/resnet.py for CIFAR with basic
blocks; TensorFlow's cifar10.py tutorial. Every parameter is filled with hashed numbers in the order of
construction, so that any program can fill its own alike.
"""
import math

import torch
import torch.nn.functional as F

CLASSES = 7


def hashed(shape, phase, scale):
    """Numbers on [-scale, scale) from an integer hash of element and phase, rounded to float32."""
    count = math.prod(shape)
    mask = 0xFFFFFFFF
    values = []
    for i in range(count):
        h = (i * 2654435761 + 97531 * phase) & mask
        h ^= h >> 15
        h = (h * 2246822519) & mask
        h ^= h >> 13
        values.append(scale * (h / 2147483648.0 - 1))
    return torch.tensor(values, dtype=torch.float64).float().double().reshape(shape)


class Parameters:
    """Makes parameters in the order in which they are asked for: the k-th, from 1, has phase k."""

    def __init__(self):
        self.named = {}

    def make(self, name, shape, kind):
        fan_in = math.prod(shape[1:])
        value = hashed(shape, len(self.named) + 1, math.sqrt(6 / fan_in) if kind == "weight" else 0.3)
        if kind == "scale":
            value = (value.float() + 1).double()
        self.named[name] = value.requires_grad_()
        return self.named[name]

    def conv(self, name, inputs, outputs, side, bias=False):
        weight = self.make(name + ".weight", [outputs, inputs, side, side], "weight")
        return weight, self.make(name + ".bias", [outputs], "bias") if bias else None

    def norm(self, name, channels):
        return self.make(name + ".weight", [channels], "scale"), self.make(name + ".bias", [channels], "bias")

    def dense(self, name, inputs, outputs):
        return self.make(name + ".weight", [outputs, inputs], "weight"), self.make(name + ".bias", [outputs], "bias")

    def count(self):
        return sum(value.numel() for value in self.named.values())


def normalise(x, pair):
    return F.batch_norm(x, None, None, pair[0], pair[1], training=True, eps=1e-5)


def conv(x, pair, stride=1):
    return F.conv2d(x, pair[0], pair[1], stride=stride, padding=pair[0].shape[2] // 2)


def resnet(depth, images):
    """He et al.: convolution, normalisation, ReLU; the addition before the block's last ReLU."""
    p = Parameters()
    per_group = (depth - 2) // 6
    stem, stem_norm = p.conv("stem.conv", 3, 16, 3), p.norm("stem.norm", 16)
    x = F.relu(normalise(conv(images, stem), stem_norm))
    for group, width in enumerate((16, 32, 64), 1):
        for block in range(per_group):
            name = f"group{group}.block{block}"
            before = x.shape[1]
            stride = 2 if width != before else 1
            first, first_norm = p.conv(name + ".conv1", before, width, 3), p.norm(name + ".norm1", width)
            second, second_norm = p.conv(name + ".conv2", width, width, 3), p.norm(name + ".norm2", width)
            hidden = F.relu(normalise(conv(x, first, stride), first_norm))
            hidden = normalise(conv(hidden, second), second_norm)
            if stride == 2:
                extra = (width - before) // 2
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, extra, extra))
            x = F.relu(x + hidden)
    return p, F.linear(x.mean((2, 3)), *p.dense("classifier", 64, CLASSES))


def resnet_t2t(depth, images):
    """tensor2tensor: normalisation and ReLU before each convolution; a projected shortcut, normalised, from the
    activated input at the start of every group; the plain input elsewhere; nothing after the last addition."""
    p = Parameters()
    per_group = (depth - 2) // 6
    stem, stem_norm = p.conv("stem.conv", 3, 16, 3), p.norm("stem.norm", 16)
    x = F.relu(normalise(conv(images, stem), stem_norm))
    for group, width in enumerate((32, 64, 128), 1):
        for block in range(per_group):
            name = f"group{group}.block{block}"
            before = x.shape[1]
            stride = 2 if block == 0 and group > 1 else 1
            active = F.relu(normalise(x, p.norm(name + ".norm1", before)))
            shortcut = x
            if block == 0:
                projection = p.conv(name + ".shortcut.conv", before, width, 1)
                shortcut = normalise(conv(active, projection, stride), p.norm(name + ".shortcut.norm", width))
            hidden = conv(active, p.conv(name + ".conv1", before, width, 3), stride)
            hidden = F.relu(normalise(hidden, p.norm(name + ".norm2", width)))
            x = shortcut + conv(hidden, p.conv(name + ".conv2", width, width, 3))
    return p, F.linear(x.mean((2, 3)), *p.dense("classifier", 128, CLASSES))


def pool(x):
    """3x3 windows at stride 2, SAME padding: of an even size one row and column, at the end."""
    assert x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0
    return F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-math.inf), 3, 2)


def respond(x):
    """tf.nn.lrn(x, 4, bias=1.0, alpha=0.001 / 9.0, beta=0.75); PyTorch divides alpha by the window of 9."""
    return F.local_response_norm(x, 9, alpha=0.001 / 9.0 * 9, beta=0.75, k=1.0)


def alexnet_tutorial(images):
    p = Parameters()
    x = respond(pool(F.relu(conv(images, p.conv("conv1", 3, 64, 5, bias=True)))))
    x = pool(respond(F.relu(conv(x, p.conv("conv2", 64, 64, 5, bias=True)))))
    x = x.permute(0, 2, 3, 1).flatten(1)
    x = F.relu(F.linear(x, *p.dense("dense1", x.shape[1], 384)))
    x = F.relu(F.linear(x, *p.dense("dense2", 384, 192)))
    return p, F.linear(x, *p.dense("classifier", 192, CLASSES))


def report(name, network, size, phase, wanted):
    images = hashed([4, 3, size, size], phase, 2)
    parameters, logits = network(images)
    loss = F.cross_entropy(logits, torch.arange(4))
    loss.backward()
    row = lambda r: "{" + ", ".join(f"{v:.7f}" for v in logits[r, :4].tolist()) + "}"
    print(f"{name}, size {size}, {parameters.count()} parameters, images of phase {phase}")
    print(f"  loss {loss.item():.9f}\n  first {row(0)}\n  last  {row(3)}")
    for parameter in wanted:
        gradient = parameters.named[parameter].grad
        projection = (gradient * hashed(list(gradient.shape), 300, 1)).sum().item()
        print(f"  {parameter}: norm {gradient.norm().item():.9f}, projection {projection:.9f}")


if __name__ == "__main__":
    blocks = ["group2.block1.conv2.weight", "group3.block1.norm1.bias", "classifier.weight"]
    report("resnet14", lambda x: resnet(14, x), 16, 1017,
           ["stem.conv.weight", "group2.block0.norm2.weight"] + blocks)
    report("resnet14_t2t", lambda x: resnet_t2t(14, x), 16, 1037,
           ["stem.conv.weight", "group2.block0.shortcut.norm.weight"] + blocks)
    report("alexnet_tutorial", alexnet_tutorial, 24, 1005,
           ["conv1.weight", "conv1.bias", "conv2.weight", "dense1.weight", "classifier.weight"])
