"""Triton's log names the models at fault."""

from __future__ import annotations

from visionlab_inference.releases.kserve.triton_log import failed_models, last_words

LOG = """\
I1124 18:00:01.1 1 model_lifecycle.cc:472] "loading: good:1"
E1124 18:00:02.2 1 model_lifecycle.cc:642] "failed to load 'bad' version 1: Internal: ONNX Runtime cannot load it: no protobuf"
E1124 18:00:02.3 1 model_repository_manager.cc:703] "Poll failed for model directory 'odd': failed to read text proto"
E1124 18:00:02.4 1 model_repository_manager.cc:614] "ensemble 'both' depends on 'bad' which has no loaded version"
I1124 18:00:02.5 1 server.cc:674]
+-------+---------+------------------------------+
| Model | Version | Status                       |
+-------+---------+------------------------------+
| good  | 1       | READY                        |
| worse | 1       | UNAVAILABLE: Internal: rot   |
| both  | 1       | UNAVAILABLE: Invalid argument: ensemble 'both' depends on 'bad' which has no loaded version |
+-------+---------+------------------------------+
error: creating server: Internal - failed to load all models
"""


def test_models_that_do_not_load_are_named_with_their_reasons():
    found = failed_models(LOG, {"good", "bad", "odd", "worse", "both"})
    assert set(found) == {"bad", "odd", "worse"}, "an ensemble is not at fault for its bases"
    assert found["bad"] == "Internal: ONNX Runtime cannot load it: no protobuf"
    assert "text proto" in found["odd"]


def test_models_that_are_not_of_the_release_are_not_named():
    assert failed_models(LOG, {"good"}) == {}


def test_the_last_words_are_a_line_that_says_something():
    assert last_words(LOG) == "error: creating server: Internal - failed to load all models"
    assert last_words("") == ""
