#!/usr/bin/env python3
"""The figures of reference_transformer_test.cpp, from a second writing of the Transformer in PyTorch.

Needs torch alone (made with 1.13.0, float64, CPU):

    python3 tests/models/reference/transformer.py

Written from Vaswani et al. 2017 and tensor2tensor's models/transformer.py, sentence by sentence and without packing:
"paper-2017" normalises each sub-layer's sum, "t2t" its input and the end of each stack. Positions are tensor2tensor's.
"""
import math

import torch
import torch.nn.functional as F

from networks import Parameters, hashed

WIDTH, HEADS, HIDDEN, LAYERS, EPSILON = 16, 2, 24, 2, 1e-6
SOURCES = [[5, 8, 6, 3], [7, 3], [4, 5, 6, 7, 8, 4, 3]]
TARGETS = [[2, 9, 10], [2, 6, 7, 8, 9, 10], [2]]
LABELS = [9, 10, 3, 6, 7, 8, 9, 10, 3, 3]


class Layer:
    def __init__(self, p, name, decoder):
        self.self_norm = p.norm(name + ".self_norm", WIDTH)
        self.self_in = p.make(name + ".self_in.weight", [3 * WIDTH, WIDTH], "weight")
        self.self_out = p.make(name + ".self_out.weight", [WIDTH, WIDTH], "weight")
        self.feed_forward_norm = p.norm(name + ".feed_forward_norm", WIDTH)
        self.hidden, self.output = p.dense(name + ".hidden", WIDTH, HIDDEN), p.dense(name + ".output", HIDDEN, WIDTH)
        if decoder:
            self.cross_norm = p.norm(name + ".cross_norm", WIDTH)
            self.cross_query = p.make(name + ".cross_query.weight", [WIDTH, WIDTH], "weight")
            self.cross_memory = p.make(name + ".cross_memory.weight", [2 * WIDTH, WIDTH], "weight")
            self.cross_out = p.make(name + ".cross_out.weight", [WIDTH, WIDTH], "weight")


def normalise(x, pair):
    return F.layer_norm(x, (WIDTH,), *pair, EPSILON)


def attend(query, key, value, causal):
    results = []
    for q, k, v in zip(query.chunk(HEADS, 1), key.chunk(HEADS, 1), value.chunk(HEADS, 1)):
        scores = q @ k.T / math.sqrt(WIDTH / HEADS)
        if causal:
            future = torch.ones_like(scores).triu(1).bool()
            scores = scores.masked_fill(future, -math.inf)
        results.append(scores.softmax(1) @ v)
    return torch.cat(results, 1)


def embed(table, tokens):
    half = WIDTH // 2
    angles = torch.arange(len(tokens)).double().unsqueeze(1) * torch.tensor([1e4 ** (-i / (half - 1)) for i in range(half)])
    return table[tokens] * math.sqrt(WIDTH) + torch.cat([angles.sin(), angles.cos()], 1)


class Transformer:
    def __init__(self, form, target_tokens, source_tokens):
        self.pre_norm = form == "t2t"
        p = self.parameters = Parameters()
        self.target = p.make("embedding.weight", [target_tokens, WIDTH], "weight")
        self.source = p.make("source_embedding.weight", [source_tokens, WIDTH], "weight") if source_tokens else self.target
        self.encoder = [Layer(p, f"encoder.layer{i}", False) for i in range(LAYERS)]
        self.encoder_norm = p.norm("encoder.norm", WIDTH) if self.pre_norm else None
        self.decoder = [Layer(p, f"decoder.layer{i}", True) for i in range(LAYERS)]
        self.decoder_norm = p.norm("decoder.norm", WIDTH) if self.pre_norm else None

    def sub_layer(self, x, norm, work):
        return x + work(normalise(x, norm)) if self.pre_norm else normalise(x + work(x), norm)

    def stack(self, x, layers, last, memory):
        for layer in layers:

            def itself(y):
                return F.linear(attend(*F.linear(y, layer.self_in).chunk(3, 1), memory is not None), layer.self_out)

            def across(y):
                key, value = F.linear(memory, layer.cross_memory).chunk(2, 1)
                return F.linear(attend(F.linear(y, layer.cross_query), key, value, False), layer.cross_out)

            def feed_forward(y):
                return F.linear(F.relu(F.linear(y, *layer.hidden)), *layer.output)

            x = self.sub_layer(x, layer.self_norm, itself)
            if memory is not None:
                x = self.sub_layer(x, layer.cross_norm, across)
            x = self.sub_layer(x, layer.feed_forward_norm, feed_forward)
        return normalise(x, last) if last else x

    def logits(self, source, target):
        memory = self.stack(embed(self.source, source), self.encoder, self.encoder_norm, None)
        return F.linear(self.stack(embed(self.target, target), self.decoder, self.decoder_norm, memory), self.target)


def report(form, target_tokens, source_tokens):
    network = Transformer(form, target_tokens, source_tokens)
    logits = torch.cat([network.logits(source, target) for source, target in zip(SOURCES, TARGETS)])
    loss = F.cross_entropy(logits, torch.tensor(LABELS))
    loss.backward()
    named = network.parameters.named
    print(f"{form}, {network.parameters.count()} parameters\n  loss {loss.item():.9f}")
    for r in (0, 6):
        print(f"  row {r} {{" + ", ".join(f"{v:.7f}" for v in logits[r, :4].tolist()) + "}")
    for name in ["embedding.weight", "source_embedding.weight", "encoder.layer0.self_in.weight", "encoder.layer1.hidden.bias",
                 "decoder.layer0.self_norm.weight", "decoder.layer0.cross_memory.weight", "decoder.layer1.cross_query.weight",
                 "decoder.layer1.output.weight"]:
        if name in named:
            gradient = named[name].grad
            projection = (gradient * hashed(list(gradient.shape), 300, 1)).sum().item()
            print(f"  {name}: norm {gradient.norm().item():.9f}, projection {projection:.9f}")


if __name__ == "__main__":
    report("paper-2017", 11, 0)
    report("t2t", 11, 9)
