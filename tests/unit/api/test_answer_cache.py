"""Answers that are kept: only what was asked, only for that version, only so many."""

from __future__ import annotations

import numpy as np
from support.tiny_models import DETECTOR, SECOND_DETECTOR

from visionlab_api.services.answer_cache import AnswerCache
from visionlab_inference.backend import ModelVersion
from visionlab_inference.detection import Detection
from visionlab_inference.images import Region

ONE, NEXT, OTHER = ModelVersion(DETECTOR, 1), ModelVersion(DETECTOR, 2), ModelVersion(SECOND_DETECTOR, 1)
REGION = Region(0, 0, 1, 1)
ANSWER = Detection(np.array([1, 0, 0, 0], np.float32), None)


def test_kept_answer_is_found_for_its_version_and_kind_alone():
    cache = AnswerCache(10)
    cache.keep(b"a", REGION, {ONE: ANSWER}, explain=False)
    assert cache.find(b"a", [ONE, NEXT, OTHER], explain=False) == (REGION, {ONE: ANSWER})
    assert cache.find(b"a", [NEXT], explain=False) is None
    assert cache.find(b"a", [ONE], explain=True) is None
    assert cache.find(b"b", [ONE], explain=False) is None


def test_answers_of_several_models_come_together():
    cache = AnswerCache(10)
    cache.keep(b"a", REGION, {ONE: ANSWER}, explain=False)
    cache.keep(b"a", REGION, {OTHER: ANSWER}, explain=False)
    assert cache.find(b"a", [ONE, OTHER], explain=False) == (REGION, {ONE: ANSWER, OTHER: ANSWER})


def test_images_asked_about_longest_ago_make_room():
    cache = AnswerCache(2)
    for digest in (b"a", b"b", b"a", b"c"):
        cache.keep(digest, REGION, {ONE: ANSWER}, explain=False)
    assert cache.find(b"b", [ONE], explain=False) is None
    assert cache.find(b"a", [ONE], explain=False)
    assert cache.find(b"c", [ONE], explain=False)


def test_cache_of_no_images_keeps_nothing():
    cache = AnswerCache(0)
    assert not cache.keeps
    cache.keep(b"a", REGION, {ONE: ANSWER}, explain=False)
    assert cache.find(b"a", [ONE], explain=False) is None
