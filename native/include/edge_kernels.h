/* edge_kernels: the C kernels of edge_sdk. C99, no dependency but libc, no global state, no hidden allocation.
 *
 * Every function takes explicit lengths, returns a status, and may be called from several threads at once as long as
 * the buffers it writes are not shared. Memory belongs to the caller; where a function needs scratch memory, its
 * header says how much. */
#ifndef EDGE_KERNELS_H
#define EDGE_KERNELS_H

#include "edge_kernels/characters.h"
#include "edge_kernels/fingerprint.h"
#include "edge_kernels/hash.h"
#include "edge_kernels/labels.h"
#include "edge_kernels/lattice.h"
#include "edge_kernels/ngrams.h"
#include "edge_kernels/overlay.h"
#include "edge_kernels/posteriors.h"
#include "edge_kernels/spans.h"
#include "edge_kernels/status.h"
#include "edge_kernels/tags.h"
#include "edge_kernels/trie.h"
#include "edge_kernels/vectors.h"

#endif
