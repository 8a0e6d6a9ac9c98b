"""Inception-v4 as PyTorch's users write it: convolution, batch normalisation and ReLU in modules of their own, branches put
together by torch.cat. Parameters' names are those of models/inception_v4.h."""
import torch
import torch.nn as nn


class ConvNorm(nn.Module):
    def __init__(self, fan_in, fan_out, kernel, stride=1, valid=False):
        super().__init__()
        height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        padding = 0 if valid else (height // 2, width // 2)
        self.conv = nn.Conv2d(fan_in, fan_out, (height, width), stride, padding, bias=False)
        self.norm = nn.BatchNorm2d(fan_out, eps=1e-3, momentum=1 - 0.9997)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.norm(self.conv(x)))


def line(width, *convs):
    """Convolutions one after the other: (channels, kernel) with stride and padding where they are not 1 and SAME."""
    layers = []
    for channels, *rest in convs:
        layers.append(ConvNorm(width, channels, *rest))
        width = channels
    return nn.Sequential(*layers)


class Fork(nn.Module):
    """A line whose end is convolved twice, side by side."""

    def __init__(self, width, *convs):
        super().__init__()
        self.line = line(width, *convs)
        width = convs[-1][0]
        self.across, self.down = ConvNorm(width, 256, (1, 3)), ConvNorm(width, 256, (3, 1))

    def forward(self, x):
        x = self.line(x)
        return torch.cat([self.across(x), self.down(x)], 1)


class Block(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


def maxima():
    return nn.MaxPool2d(3, 2)


def averages(width, channels):
    return nn.Sequential(nn.AvgPool2d(3, 1, 1, count_include_pad=False), ConvNorm(width, channels, 1))


ACROSS, DOWN, SHRUNK, VALID = (1, 7), (7, 1), (3, 2, True), (3, 1, True)


def inception_a():
    return Block(line(384, (96, 1)), line(384, (64, 1), (96, 3)), line(384, (64, 1), (96, 3), (96, 3)), averages(384, 96))


def inception_b():
    return Block(line(1024, (384, 1)), line(1024, (192, 1), (224, ACROSS), (256, DOWN)),
                 line(1024, (192, 1), (192, DOWN), (224, ACROSS), (224, DOWN), (256, ACROSS)), averages(1024, 128))


def inception_c():
    return Block(line(1536, (256, 1)), Fork(1536, (384, 1)), Fork(1536, (384, 1), (448, (3, 1)), (512, (1, 3))),
                 averages(1536, 256))


class InceptionV4(nn.Module):
    def __init__(self, classes=1000):
        super().__init__()
        self.features = nn.Sequential(
            *line(3, (32, *SHRUNK), (32, *VALID), (64, 3)),
            Block(maxima(), line(64, (96, *SHRUNK))),
            Block(line(160, (64, 1), (96, *VALID)), line(160, (64, 1), (64, ACROSS), (64, DOWN), (96, *VALID))),
            Block(line(192, (192, *SHRUNK)), maxima()),
            *[inception_a() for _ in range(4)],
            Block(line(384, (384, *SHRUNK)), line(384, (192, 1), (224, 3), (256, *SHRUNK)), maxima()),
            *[inception_b() for _ in range(7)],
            Block(line(1024, (192, 1), (192, *SHRUNK)), line(1024, (256, 1), (256, ACROSS), (320, DOWN), (320, *SHRUNK)),
                  maxima()),
            *[inception_c() for _ in range(3)])
        self.classifier = nn.Linear(1536, classes)

    def forward(self, x):
        return self.classifier(self.features(x).mean((2, 3)))
