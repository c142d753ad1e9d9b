"""From a training checkpoint to an `.edge` file; knows no model family by name.

    python -m export CHECKPOINT_DIR --out FILE.edge [--engines onnx,litert] [--precision int8|fp32]

torch fp32 -> ONNX fp32 -> ONNX int8, and for LiteRT -> TFLite fp32 -> TFLite int8, each stage
compared with the first on real data; the pipeline's self-test recorded; then everything packed.
Needs the extra ``[train]``, for LiteRT ``[train-litert]``.
"""
