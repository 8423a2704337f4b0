"""What the tests of the package share."""

from __future__ import annotations

import pytest
from transformers import BertTokenizer

from tests.bertlesson.masking_batches import PIECES


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(vocab={piece: i for i, piece in enumerate(PIECES)})
