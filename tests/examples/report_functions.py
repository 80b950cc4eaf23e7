"""Compares the functions of a report's sliders with those of activation_lab.

    report_functions.py DOM ACTIVATION_LAB

DOM is the page that report_check.js has left: the SPEC of every kind of function, its values and
slopes at some places, and its poles.
"""

import csv
import io
import json
import re
import subprocess
import sys


def printed(lab, command, spec, *more):
    done = subprocess.run([lab, command, "--activation", spec, *more], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def near(a, b, tolerance):
    return abs(a - b) <= tolerance * (1 + abs(b))


def main(dom, lab):
    with open(dom, encoding="utf-8") as file:
        functions = json.loads(re.search(r'id="functions">(.*?)</script>', file.read(), re.DOTALL)[1])
    poles = 0
    for function in functions:
        spec = function["spec"]
        places = ",".join(str(point[0]) for point in function["points"])
        rows = csv.DictReader(io.StringIO(printed(lab, "eval", spec, "--x=" + places)))
        for (x, value, slope), row in zip(function["points"], rows, strict=True):
            assert near(value, float(row["f"]), 1e-9), (spec, x, value, row)
            assert near(slope, float(row["df_dx"]), 1e-6), (spec, x, slope, row)
        if function["poles"] is None:
            continue
        regions = json.loads(printed(lab, "analyse", spec, "--interval=-5:5", "--json"))["regions"]
        real = sorted(pole["re"] for region in regions for pole in region["poles"]
                      if pole["real"] and -5 <= pole["re"] <= 5)
        assert len(real) == len(function["poles"]), (spec, real, function["poles"])
        assert all(near(a, b, 1e-6) for a, b in zip(function["poles"], real)), (spec, real)
        poles += len(real)
    assert len(functions) == 7 * 4 + 14 and poles > 7, (len(functions), poles)
    print(f"{len(functions)} functions and {poles} poles are those of activation_lab")


main(*sys.argv[1:])
