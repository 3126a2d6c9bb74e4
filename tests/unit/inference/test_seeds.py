"""The noise of a seed: a promise to every face ever made."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from visionlab_inference.seeds import uniform_latents
