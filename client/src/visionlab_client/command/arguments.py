"""The command line: what can be said, and the help."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from importlib.metadata import version

from visionlab_client.bulk import CONCURRENCY
from visionlab_client.command import classify, generate, models, status

_DEFAULT_URL = "http://localhost:8000"

_MAIN = """\
Ask a VisionLab server whether faces are real or generated, and let it make new ones.

The server is the one of --url, or of $VISIONLAB_URL, or http://localhost:8000.
"""

_MAIN_END = """\
examples:
  visionlab status
  visionlab models detector
  visionlab classify *.jpg
  visionlab classify photos/ --csv --out answers.csv
  visionlab generate --count 12 --seed 7 --out faces/

exit codes:
  0    all is done (status: the server is ready)
  1    some images have no answer; the output says which and why (status: the server is not ready)
  2    the command line is wrong
  3    the server is not there, is not VisionLab, or refused; what was printed until then is right
  130  stopped with Ctrl-C; what was printed until then is right
  141  the output was closed, as `| head` does
"""

_CLASSIFY = """\
Ask whether faces are real or generated: one image or a million. Each image has one row, with its answer or with the reason why
it has none. Rows come in the order of the images and are written one by one, so a run that is stopped or killed loses nothing
that it has printed. While the server is busy or away, images wait (see --patience).
"""

_CLASSIFY_END = """\
examples:
  visionlab classify *.jpg                                      a table, for people
  visionlab classify photos/ --csv --out answers.csv            a folder and all folders in it
  visionlab classify photos/ --csv --out answers.csv --resume   go on where the last run stopped
  find / -name '*.png' -print0 | visionlab classify -0 - --ndjson > answers.ndjson
  visionlab classify --files-from list.txt --models mobilenetv2,efficientnetlite0

forms of output:
  --csv     path, called, generated, confidence, human, human_gen, anime, anime_gen, models, error.
            A text that a spreadsheet would run as a formula (it begins with = + - @) has a ' in front.
  --ndjson  one JSON object a line: index, path, error, and the answer as the API gives it (models, verdict, problem)
  --json    the same objects in one array

exit codes:
  0 all images have an answer; 1 some have none; 2 wrong command line; 3 server not there or refuses; 130 stopped with Ctrl-C
"""

_GENERATE = "Let the server make new faces and save them. Prints the path of each file."
_GENERATE_END = """\
examples:
  visionlab generate --count 12 --out faces/
  visionlab generate --models dcgan-human --count 4 --seed 7 --out faces/     the same four faces every time
"""


def parse() -> argparse.Namespace:
    """What the command line says. `run` is the coroutine function that does it."""
    parser = _parser(argparse.ArgumentParser, prog="visionlab", description=_MAIN, epilog=_MAIN_END)
    parser.add_argument("--version", action="version", version=f"visionlab {version('visionlab-client')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    asking = _parser(
        commands.add_parser, "classify", help="real or generated?", description=_CLASSIFY, epilog=_CLASSIFY_END, run=classify.run
    )
    what = asking.add_argument_group("images")
    what.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="files, folders (all .jpg, .jpeg and .png files in them), or - for a list on stdin",
    )
    what.add_argument("--files-from", metavar="LIST", help="a file that lists paths, one a line; - = stdin")
    what.add_argument(
        "-0", "--null", action="store_true", help="paths in lists end with a zero byte, as `find -print0` writes them"
    )
    output = asking.add_argument_group("output")
    form = output.add_mutually_exclusive_group()
    for name, text in (("csv", "as CSV"), ("json", "as one JSON array"), ("ndjson", "as one JSON object a line")):
        form.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=text)
    asking.set_defaults(format="table")
    output.add_argument("-o", "--out", metavar="FILE", help="write to FILE instead of stdout")
    output.add_argument(
        "--resume",
        action="store_true",
        help="with --out, and --csv or --ndjson: keep the answers that FILE has, and ask only about the other images",
    )
    output.add_argument("--unordered", action="store_true", help="write rows as answers come, not in the order of the images")
    _models(asking, "detector", "all that are in service")
    asking.add_argument(
        "--concurrency",
        type=_positive,
        default=CONCURRENCY,
        metavar="N",
        help=f"images on their way at once (default: {CONCURRENCY})",
    )
    _server(asking)

    making = _parser(
        commands.add_parser, "generate", help="make new faces", description=_GENERATE, epilog=_GENERATE_END, run=generate.run
    )
    making.add_argument("--count", type=_positive, default=10, metavar="N", help="how many faces (default: 10)")
    making.add_argument(
        "--seed", type=_seed, metavar="N", help="of each model's first face, the next has N + 1 (default: random)"
    )
    making.add_argument(
        "--truncation",
        type=float,
        default=1.0,
        metavar="T",
        help="1 = all variety; smaller = nearer to the average face (default: 1)",
    )
    making.add_argument("-o", "--out", default=".", metavar="FOLDER", help="where the files go (default: this folder)")
    _models(making, "generator", "all that are in service")
    _server(making)

    listing = _parser(
        commands.add_parser, "models", help="list the models", description="List the server's models.", run=models.run
    )
    listing.add_argument("type", nargs="?", choices=("detector", "generator"), help="only these")
    listing.add_argument("--json", action="store_true", help="all that is known of them, as JSON")
    _server(listing)

    asking_status = _parser(
        commands.add_parser,
        "status",
        help="is the server ready?",
        description="Is the server ready? Exit code 0: yes; 1: it answers and is not ready; 3: it does not answer.",
        run=status.run,
    )
    asking_status.add_argument("--json", action="store_true", help="as JSON")
    _server(asking_status)
    return parser.parse_args()


def _parser(
    make: Callable[..., argparse.ArgumentParser], *name: str, run: object = None, **options: object
) -> argparse.ArgumentParser:
    parser = make(*name, formatter_class=argparse.RawDescriptionHelpFormatter, **options)
    if run is not None:
        parser.set_defaults(run=run)
    return parser


def _server(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("server")
    default = os.environ.get("VISIONLAB_URL") or _DEFAULT_URL
    group.add_argument("--url", default=default, help=f"its address (default: $VISIONLAB_URL, or {_DEFAULT_URL})")
    group.add_argument(
        "--key",
        metavar="KEY",
        help="an API key of the server (default: $VISIONLAB_API_KEY, which other users of this machine cannot see)",
    )
    group.add_argument(
        "--patience", type=_seconds, default=60.0, metavar="S", help="seconds to try again while it is busy or away (default: 60)"
    )
    group.add_argument(
        "--timeout", type=_seconds, default=120.0, metavar="S", help="seconds that it may be silent in one request (default: 120)"
    )


def _models(parser: argparse.ArgumentParser, kind: str, default: str) -> None:
    parser.add_argument(
        "--models",
        action="append",
        metavar="NAMES",
        help=f"names or ids of {kind}s, separated by commas; `visionlab models {kind}` lists them (default: {default})",
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**53:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 2**53 - 1")
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds")
    return number
