#!/usr/bin/env python3
"""Target tokens a second of a plain PyTorch beam search with key/value caches, for the weights and sentences that
decoding_bench left in FOLDER, and the share of sentences for which both found the same.

usage: torch_decoding.py FOLDER [--beam 4] [--threads 2] [--batch N | --choose]

Sentences of like length go together, padded. --choose tries several batch sizes on the first sentences of each length and
takes the fastest.
"""
import argparse
import json
import math
import os
import time

import torch
import torch.nn.functional as F

HEADS, LAYERS, EPSILON = 8, 6, 1e-6
BEGIN, END = 2, 3


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = bytearray(file.read())
    tensors = {}
    for name, about in header.items():
        if name != "__metadata__":
            begin, end = about["data_offsets"]
            tensors[name] = torch.frombuffer(body, dtype=torch.float32, count=(end - begin) // 4, offset=begin).view(about["shape"])
    return tensors


def heads(rows):
    """[B, T, width] -> [B, heads, T, width / heads]"""
    return rows.view(*rows.shape[:2], HEADS, -1).transpose(1, 2)


def attend(query, key, value, hidden=None):
    scores = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])
    if hidden is not None:
        scores = scores.masked_fill(hidden, -math.inf)
    return (scores.softmax(3) @ value).transpose(1, 2).flatten(2)


class Translator:
    def __init__(self, weights):
        self.weights = weights
        self.embedding = weights["embedding.weight"]
        self.width = self.embedding.shape[1]
        step = torch.exp(-torch.arange(self.width // 2) * math.log(1e4) / (self.width // 2 - 1))
        angles = torch.arange(512).unsqueeze(1) * step
        self.positions = torch.cat([angles.sin(), angles.cos()], 1)

    def norm(self, name, rows):
        return F.layer_norm(rows, (self.width,), self.weights[name + ".weight"], self.weights[name + ".bias"], EPSILON)

    def linear(self, name, rows):
        return F.linear(rows, self.weights[name + ".weight"], self.weights.get(name + ".bias"))

    def embed(self, tokens, position):
        return F.embedding(tokens, self.embedding) * math.sqrt(self.width) + self.positions[position]

    def feed_forward(self, layer, rows):
        return rows + self.linear(layer + ".output", self.linear(layer + ".hidden", self.norm(layer + ".feed_forward_norm", rows)).relu())

    def encode(self, source, hidden):
        rows = self.embed(source, slice(source.shape[1]))
        for i in range(LAYERS):
            layer = f"encoder.layer{i}"
            query, key, value = map(heads, self.linear(layer + ".self_in", self.norm(layer + ".self_norm", rows)).chunk(3, 2))
            rows = self.feed_forward(layer, rows + self.linear(layer + ".self_out", attend(query, key, value, hidden)))
        return self.norm("encoder.norm", rows)

    def decode(self, tokens, position, caches, memories, hidden, beam):
        """tokens: [B * beam]; a sentence's memory is shared by its beam. Returns logits [B * beam, vocabulary]."""
        rows = self.embed(tokens.unsqueeze(1), position)
        for i in range(LAYERS):
            layer = f"decoder.layer{i}"
            query, key, value = map(heads, self.linear(layer + ".self_in", self.norm(layer + ".self_norm", rows)).chunk(3, 2))
            if caches[i] is not None:
                key, value = torch.cat([caches[i][0], key], 2), torch.cat([caches[i][1], value], 2)
            caches[i] = key, value
            rows = rows + self.linear(layer + ".self_out", attend(query, key, value))
            query = heads(self.linear(layer + ".cross_query", self.norm(layer + ".cross_norm", rows)).view(-1, beam, self.width))
            cross = attend(query, *memories[i], hidden).reshape(-1, 1, self.width)
            rows = self.feed_forward(layer, rows + self.linear(layer + ".cross_out", cross))
        return F.linear(self.norm("decoder.norm", rows).squeeze(1), self.embedding)

    def search(self, sentences, beam):
        """Of each the best hypothesis as long as the sentence; sentences: lists of tokens, each with its end."""
        count, longest = len(sentences), max(map(len, sentences))
        source = torch.zeros(count, longest, dtype=torch.long)
        for row, sentence in zip(source, sentences):
            row[: len(sentence)] = torch.tensor(sentence)
        hidden = source.eq(0).view(count, 1, 1, longest)
        memory = self.encode(source, hidden)
        memories = [tuple(map(heads, self.linear(f"decoder.layer{i}.cross_memory", memory).chunk(2, 2))) for i in range(LAYERS)]
        caches = [None] * LAYERS
        tokens = torch.full((count * beam,), BEGIN)
        scores = torch.full((count, beam), -math.inf)
        scores[:, 0] = 0  # one hypothesis to begin with
        history = torch.zeros(count, beam, 0, dtype=torch.long)
        first = torch.arange(count).unsqueeze(1) * beam
        found = [None] * count
        vocabulary = self.embedding.shape[0]
        for position in range(longest):
            log_p = self.decode(tokens, position, caches, memories, hidden, beam).log_softmax(1).view(count, beam, vocabulary)
            for i, sentence in enumerate(sentences):
                if position == len(sentence) - 1:
                    found[i] = history[i, (scores[i] + log_p[i, :, END]).argmax()].tolist()
            log_p[:, :, :4] = -math.inf  # special tokens are not chosen, the end comes at the given length
            scores, chosen = (scores.unsqueeze(2) + log_p).view(count, -1).topk(beam)
            parents, chosen = chosen.div(vocabulary, rounding_mode="floor"), chosen % vocabulary
            lanes = (first + parents).flatten()
            caches = [(key.index_select(0, lanes), value.index_select(0, lanes)) for key, value in caches]
            history = torch.cat([history.gather(1, parents.unsqueeze(2).expand(-1, -1, position)), chosen.unsqueeze(2)], 2)
            tokens = chosen.flatten()
        return found


def translate(model, sentences, beam, batch):
    order = sorted(range(len(sentences)), key=lambda i: -len(sentences[i]))
    found = [None] * len(sentences)
    begin = time.perf_counter()
    for at in range(0, len(order), batch):
        numbers = order[at : at + batch]
        for number, hypothesis in zip(numbers, model.search([sentences[i] for i in numbers], beam)):
            found[number] = hypothesis
    return found, time.perf_counter() - begin


def lines(path):
    with open(path) as file:
        return [[int(token) for token in line.split()] for line in file]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--beam", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--choose", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    sentences, ours = (lines(os.path.join(args.folder, name)) for name in ("sources.txt", "translations.txt"))
    with torch.inference_mode():
        model = Translator(read_safetensors(os.path.join(args.folder, "weights.safetensors")))
        model.search(sentences[:1], args.beam)
        if args.choose:
            some = sentences[:45]
            args.batch = min((1, 8, 16, 32), key=lambda batch: translate(model, some, args.beam, batch)[1])
        found, seconds = translate(model, sentences, args.beam, args.batch)
    tokens = sum(map(len, found))
    equal = sum(a == b for a, b in zip(found, ours))
    print(f"tokens_per_second {tokens / seconds:.1f}  seconds {seconds:.2f}  tokens {tokens}  threads {args.threads}  batch {args.batch}  "
          f"equal {equal}/{len(ours)}", flush=True)


if __name__ == "__main__":
    main()
