"""The tiny tagger's graph as TFLite, built by hand: the runtime's tests need no converter.

Needs ai-edge-litert for its copy of the format's schema.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIZES = (4, 8, 16)
"""Tokens of the signatures."""


def model(tag_weights: np.ndarray, intent_weights: np.ndarray) -> bytes:
    """uint8 features [1, n, F] times float32 [F, T] and [F, I] -> slot and intent logits.

    Intents are the maximum over the tokens, and at least 0. One subgraph and signature
    "tokens<n>" for each n of SIZES, all on the same two matrices.
    """
    from ai_edge_litert import schema_py_generated as schema

    tree = schema.ModelT()
    tree.version = 3
    tree.operatorCodes = [_code(schema, name) for name in ("CAST", "FULLY_CONNECTED", "RELU", "REDUCE_MAX")]
    tree.buffers = [
        _buffer(schema, data)
        for data in (None, tag_weights.T.astype("<f4"), intent_weights.T.astype("<f4"), np.array([1], "<i4"))
    ]
    graphs = [_graph(schema, n, tag_weights.shape, intent_weights.shape[1]) for n in SIZES]
    tree.subgraphs = graphs
    tree.signatureDefs = [_signature(schema, i, n) for i, n in enumerate(SIZES)]
    return _packed(tree)


def _graph(schema: Any, n: int, shape: tuple[int, int], intents: int) -> Any:
    n_features, tags = shape
    types = schema.TensorType
    graph = schema.SubGraphT()
    graph.name = f"tokens{n}".encode()
    graph.tensors = [
        _tensor(schema, i, *description)
        for i, description in enumerate(
            [
                ("features", types.UINT8, [1, n, n_features], 0),
                ("tag_weights", types.FLOAT32, [tags, n_features], 1),
                ("intent_weights", types.FLOAT32, [intents, n_features], 2),
                ("axis", types.INT32, [1], 3),
                ("floats", types.FLOAT32, [1, n, n_features], 0),
                ("slots", types.FLOAT32, [1, n, tags], 0),
                ("word_intents", types.FLOAT32, [1, n, intents], 0),
                ("positive", types.FLOAT32, [1, n, intents], 0),
                ("intents", types.FLOAT32, [1, intents], 0),
            ]
        )
    ]
    graph.inputs, graph.outputs = [0], [5, 8]
    product = schema.FullyConnectedOptionsT()
    product.keepNumDims = True
    options = schema.BuiltinOptions
    graph.operators = [
        _operator(schema, 0, [0], [4], options.CastOptions, schema.CastOptionsT()),
        _operator(schema, 1, [4, 1, -1], [5], options.FullyConnectedOptions, product),
        _operator(schema, 1, [4, 2, -1], [6], options.FullyConnectedOptions, product),
        _operator(schema, 2, [6], [7], options.NONE, None),
        _operator(schema, 3, [7, 3], [8], options.ReducerOptions, schema.ReducerOptionsT()),
    ]
    return graph


def _code(schema: Any, name: str) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = 1
    return code


def _buffer(schema: Any, data: np.ndarray | None) -> Any:
    buffer = schema.BufferT()
    buffer.data = None if data is None else np.frombuffer(data.tobytes(), np.uint8)
    return buffer


def _tensor(schema: Any, number: int, name: str, kind: int, shape: list[int], buffer: int) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.shape, tensor.buffer = f"{name}{number}".encode(), kind, shape, buffer
    return tensor


def _operator(schema: Any, code: int, inputs: list[int], outputs: list[int], kind: int, options: Any) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, outputs
    operator.builtinOptionsType, operator.builtinOptions = kind, options
    return operator


def _signature(schema: Any, number: int, n: int) -> Any:
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = f"tokens{n}".encode(), number
    signature.inputs = [_named(schema, "features", 0)]
    signature.outputs = [_named(schema, "slot_logits", 5), _named(schema, "intent_logits", 8)]
    return signature


def _named(schema: Any, name: str, tensor: int) -> Any:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name.encode(), tensor
    return entry


def _packed(tree: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())
