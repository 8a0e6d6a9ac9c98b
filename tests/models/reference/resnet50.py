#!/usr/bin/env python3
"""The figures of resnet_imagenet_test.cpp, from a second writing of the network in PyTorch.

Needs torch alone (made with 1.13.0, float64, CPU):

    python3 tests/models/reference/resnet50.py

Table 1 of He et al. 2016 (50 layers), with the strides of a group's first block in its 3x3 convolution. Parameters are
filled as in networks.py.
"""
import torch
import torch.nn.functional as F

from inception_v4 import Network, hashed, row

BATCH, HEIGHT, WIDTH = 3, 96, 64


class ResNet50(Network):
    def layer(self, x, conv, norm, filters, side, stride=1):
        weight = self.make(conv + ".weight", [filters, x.shape[1], side, side], "weight")
        scale, bias = self.make(norm + ".weight", [filters], "scale"), self.make(norm + ".bias", [filters], "bias")
        mean, variance = self.running.setdefault(
            norm, (torch.zeros(filters, dtype=self.dtype), torch.ones(filters, dtype=self.dtype)))
        x = F.conv2d(x, weight, stride=stride, padding=side // 2)
        return F.batch_norm(x, mean, variance, scale, bias, self.training, 0.1, 1e-5)

    def numbered(self, x, block, number, filters, side, stride=1):
        return self.layer(x, f"{block}.conv{number}", f"{block}.norm{number}", filters, side, stride)

    def bottleneck(self, x, block, filters, stride):
        hidden = F.relu(self.numbered(x, block, 1, filters, 1))
        hidden = F.relu(self.numbered(hidden, block, 2, filters, 3, stride))
        hidden = self.numbered(hidden, block, 3, 4 * filters, 1)
        if block.endswith("block0"):
            x = self.layer(x, block + ".shortcut.conv", block + ".shortcut.norm", 4 * filters, 1, stride)
        return F.relu(hidden + x)

    def __call__(self, images):
        x = F.relu(self.numbered(images.to(self.dtype), "stem", 1, 64, 7, 2))
        x = F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=-float("inf")), 3, 2)
        for group, (filters, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
            for block in range(blocks):
                stride = 2 if group > 1 and block == 0 else 1
                x = self.bottleneck(x, f"group{group}.block{block}", filters, stride)
        return self.dense(x.mean((2, 3)), "classifier")


if __name__ == "__main__":
    network, images = ResNet50(torch.float64), hashed([BATCH, 3, HEIGHT, WIDTH], 1001, 2)
    logits = network(images)
    loss = F.cross_entropy(logits, torch.arange(BATCH))
    loss.backward()
    print(sum(value.numel() for value in network.parameters.values()), "parameters")
    print(f"  loss {loss.item():.9f}\n  first {row(logits[0])}\n  last  {row(logits[-1])}")
    for name in ["stem.conv1.weight", "group1.block0.shortcut.norm.weight", "group2.block0.conv2.weight",
                 "group3.block4.norm1.bias", "group4.block2.conv3.weight", "classifier.weight"]:
        gradient = network.parameters[name].grad
        projection = (gradient * hashed(list(gradient.shape), 300, 1)).sum().item()
        print(f'  {{"{name}", {gradient.norm().item():.9f}, {projection:.9f}}},')
    network.training = False
    with torch.no_grad():
        logits = network(images)
    print(f"  running: norm {logits.norm().item():.6f}, last {row(logits[-1])}")
