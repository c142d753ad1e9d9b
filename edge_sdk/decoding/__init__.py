"""From a source to the best target: search over the scores of a decoder, one method a file."""
