"""Makes images for predict_test.sh, and checks predict --json against the run's own figures.

    predict_check.py bars IDX-FOLDER FOLDER      a set like MNIST, whose test images are also in
                                                 FOLDER, as PGM files; the label of image i is i % 10
    predict_check.py photos FOLDER               a folder of PPM files, to train with and to test
    predict_check.py figures RUN ANSWERS LABELS  top-1 and the mean of -log p over these images are
                                                 test accuracy and test loss; LABELS is a file with
                                                 one a line, by label or by name
"""

import json
import math
import pathlib
import random
import struct
import sys


def write_pnm(path, magic, width, height, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"%s\n%d %d\n255\n" % (magic, width, height) + bytes(pixels))


def bars(idx_folder, folder):
    """The lower the bright bar, the higher the label; noise hides some."""
    idx_folder = pathlib.Path(idx_folder)
    idx_folder.mkdir()
    for split, count in (("train", 400), ("t10k", 60)):
        pixels = bytearray()
        for i in range(count):
            draw = random.Random(f"{split} {i}")
            image = [draw.randint(0, 180) for _ in range(784)]
            row = 4 + 2 * (i % 10)
            image[28 * row:28 * (row + 2)] = [draw.randint(70, 255) for _ in range(56)]
            pixels += bytes(image)
            if split == "t10k":
                write_pnm(pathlib.Path(folder, f"{i:02}.pgm"), b"P5", 28, 28, image)
        for name, kind, shape, data in (("images-idx3", 3, (count, 28, 28), pixels),
                                        ("labels-idx1", 1, (count,), bytes(i % 10 for i in range(count)))):
            header = struct.pack(f">I{kind}I", 0x800 + kind, *shape)
            (idx_folder / f"{split}-{name}-ubyte").write_bytes(header + data)


def photos(folder):
    """Noise around a colour for each class, in sizes that are not the network's."""
    colours = {"ant": (200, 40, 40), "b e e": (40, 180, 60), "cat": (60, 60, 210)}
    for split, count in (("train", 24), ("test", 10)):
        for name, colour in colours.items():
            for i in range(count):
                draw = random.Random(f"{split} {name} {i}")
                width, height = draw.randint(20, 50), draw.randint(20, 50)
                pixels = [min(255, max(0, c + draw.randint(-90, 90)))
                          for _ in range(width * height) for c in colour]
                write_pnm(pathlib.Path(folder, split, name, f"{i:02}.ppm"), b"P6", width, height, pixels)


def figures(run, answers, labels):
    with open(f"{run}/run.json", encoding="utf-8") as file:
        record = json.load(file)
    with open(answers, encoding="utf-8") as file:
        answer = json.load(file)
    wanted = pathlib.Path(labels).read_text(encoding="utf-8").splitlines()
    assert len(answer["images"]) == len(wanted), len(answer["images"])
    right, loss = 0, 0.0
    for image, label in zip(answer["images"], wanted):
        predictions = image["predictions"]
        chances = [p["probability"] for p in predictions]
        assert chances == sorted(chances, reverse=True), image
        assert abs(sum(chances) - 1) < 1e-9, image
        assert all(record["classes"][p["label"]] == p["class"] for p in predictions), image
        right += label in (str(predictions[0]["label"]), predictions[0]["class"])
        loss -= math.log(next(p["probability"] for p in predictions
                              if label in (str(p["label"]), p["class"])))
    final = record["final"]
    assert right == round(final["test_accuracy"] * len(wanted)), (right, final)
    assert abs(loss / len(wanted) - final["test_loss"]) < 1e-5, (loss / len(wanted), final)
    assert len(wanted) / 2 < right, "too little was learned to show much"
    print(f"{run}: {right} of {len(wanted)} right, loss {loss / len(wanted):.6f}")


{"bars": bars, "photos": photos, "figures": figures}[sys.argv[1]](*sys.argv[2:])
