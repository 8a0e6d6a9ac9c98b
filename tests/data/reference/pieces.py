# Prints what tests/data/word_pieces_test.cpp compares with: SentencePiece 0.1.97's own Python module, on the text of
# tests/data/small_text.h. Run: python3 pieces.py
import io

import sentencepiece

SOURCE = ("the small house stands under an old tree and bird sings quite often here water flows down along river "
          "stones").split()
TARGET = ("das kleine Häuschen steht unter einem alten Bäume und Vögel singt recht öfter hier Wasser fließt hinab "
          "längs Flüsse Steine").split()


def small_text(lines, words):
    state = 1
    for _ in range(lines):
        state = (state * 1664525 + 1013904223) % 2**32
        sentence = []
        for _ in range(3 + (state >> 16) % 6):
            state = (state * 1664525 + 1013904223) % 2**32
            sentence.append(words[(state >> 16) % len(words)])
        yield " ".join(sentence) + "."


text = [line for pair in zip(small_text(400, SOURCE), small_text(400, TARGET)) for line in pair]
print(text[0], text[1], sep="\n")
for kind in "unigram", "bpe":
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(text), model_writer=model, model_type=kind, vocab_size=70, character_coverage=1.0,
        pad_id=0, unk_id=1, bos_id=2, eos_id=3, minloglevel=2)
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    print(kind, [pieces.id_to_piece(i) for i in range(4, 12)])
    for line in "the old tree sings.", "Die Vögel fließen  über Häuser!", "a\u00a0\uff22 ﬂows", " ":
        print(repr(line), pieces.encode(line), repr(pieces.decode(pieces.encode(line))))
