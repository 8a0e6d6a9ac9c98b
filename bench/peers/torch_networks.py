"""The networks of models/resnet_cifar.h and models/alexnet_tutorial.h as PyTorch's users write them."""
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F


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
    """Option A shortcuts, images of 3×32×32."""

    def __init__(self, classes, settings):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        widths = [16] * 10 + [32] * 9 + [64] * 9
        self.blocks = nn.Sequential(*[Block(a, b) for a, b in zip(widths, widths[1:])])
        self.classifier = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)), inplace=True)
        return self.classifier(self.blocks(x).mean((2, 3)))

    def decayed(self):
        """Weight decay by parameter: of weights, not of norms and biases."""
        return {p: 1e-4 if p.dim() > 1 else 0.0 for p in self.parameters()}


def library_norm(x):
    # PyTorch divides alpha by the size of the window.
    return F.local_response_norm(x, 9, alpha=9 * 0.001 / 9.0, beta=0.75, k=1.0)


class BandedNorm(nn.Module):
    """The same sums as a 1×1 convolution with a band of ones."""

    def __init__(self, channels):
        super().__init__()
        band = torch.ones(channels, channels).triu(-4).tril(4)
        self.register_buffer("band", band[:, :, None, None], persistent=False)

    def forward(self, x):
        base = F.conv2d(x * x, self.band) * (0.001 / 9.0) + 1.0
        return x * torch.rsqrt(base) * torch.rsqrt(base.sqrt())


class AlexNet(nn.Module):
    """Images of 3×24×24."""

    def __init__(self, classes, settings):
        super().__init__()
        self.channels_last = settings["memory"] == "channels_last"
        self.conv1 = nn.Conv2d(3, 64, 5, 1, 2)
        self.conv2 = nn.Conv2d(64, 64, 5, 1, 2)
        self.dense1 = nn.Linear(64 * 6 * 6, 384)
        self.dense2 = nn.Linear(384, 192)
        self.classifier = nn.Linear(192, classes)
        self.local_norm = BandedNorm(64) if settings["local_norm"] == "banded" else library_norm

    def forward(self, x):
        x = F.relu(self.conv1(x), inplace=True)
        x = self.local_norm(F.max_pool2d(x, 3, 2, ceil_mode=True))
        x = self.local_norm(F.relu(self.conv2(x), inplace=True))
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        # Whichever order needs no copy.
        x = (x.permute(0, 2, 3, 1) if self.channels_last else x).flatten(1)
        x = F.relu(self.dense1(x), inplace=True)
        return self.classifier(F.relu(self.dense2(x), inplace=True))

    def decayed(self):
        dense = (self.dense1.weight, self.dense2.weight)
        return {p: 0.04 if any(p is d for d in dense) else 0.0 for p in self.parameters()}


SIDES = {"resnet56": 32, "alexnet": 24}
# What timm calls the same networks, where a release has them.
TIMM_NAMES = {"resnet56": ("resnet56_cifar", "cifar_resnet56", "resnet56"), "alexnet": ("alexnet_tutorial", "alexnet")}


def make_network(name, classes, settings):
    return {"resnet56": ResNet56, "alexnet": AlexNet}[name](classes, settings)


def parameter_count(model):
    return sum(p.numel() for p in model.parameters())


def timm_name(name, parameters):
    """timm's own network of this kind and size, or None."""
    import timm

    for candidate in TIMM_NAMES[name]:
        if candidate in timm.list_models():
            if parameter_count(timm.create_model(candidate, num_classes=10)) == parameters:
                return candidate
    return None


def multiply_adds(model, images):
    """Of convolutions and linear layers, in one forward pass over one image."""
    counts, hooks = [], []

    def count(layer, inputs, output):
        if isinstance(layer, nn.Conv2d):
            weights = layer.weight[0].numel()
            counts.append(weights * output[0].numel())
        else:
            counts.append(layer.weight.numel())

    for layer in model.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            hooks.append(layer.register_forward_hook(count))
    with torch.no_grad():
        model(images[:1])
    for hook in hooks:
        hook.remove()
    return sum(counts)


if __name__ == "__main__":  # torch_networks.py resnet56|alexnet: the name of timm's
    model = make_network(sys.argv[1], 10, {"memory": "channels_last", "local_norm": "library"})
    print(timm_name(sys.argv[1], parameter_count(model)) or "")
