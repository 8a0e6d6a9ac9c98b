#!/usr/bin/env python3
"""Prints images/s of loading JPEGs as torchvision's RandomResizedCrop and flip do on PIL images; Pillow's version first.

Usage: pil_loading.py FOLDER [passes]. One thread; files are read before the time is taken."""
import io
import math
import os
import random
import sys
import time

try:
    import PIL
    from PIL import Image
except ImportError:
    sys.exit(0)  # the other side says so once, and not in every round

folder, passes = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
files = [open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))]


def crop_of(width, height):
    for _ in range(10):
        area = width * height * random.uniform(0.05, 1)
        aspect = math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left, top = random.randint(0, width - w), random.randint(0, height - h)
            return left, top, left + w, top + h
    return 0, 0, width, height


def load(data, filter):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image = image.crop(crop_of(*image.size)).resize((299, 299), filter)
    return image.transpose(Image.FLIP_LEFT_RIGHT) if random.random() < 0.5 else image


print("Pillow", PIL.__version__)
random.seed(1)
for name, filter in (("bilinear", Image.BILINEAR), ("bicubic", Image.BICUBIC)):
    begin = time.perf_counter()
    for _ in range(passes):
        for data in files:
            load(data, filter)
    print(name, passes * len(files) / (time.perf_counter() - begin))
