from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_sdk.kernels.phrase_scheme import PhraseScheme

def phrase_ngrams(text: str, scheme: PhraseScheme) -> npt.NDArray[np.int32]: ...
def phrase_ngrams_many(
    texts: Sequence[str], scheme: PhraseScheme
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]: ...
