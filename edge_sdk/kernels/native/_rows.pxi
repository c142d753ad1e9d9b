# Included by the modules that read score matrices: views that cost no Python-level check when they fit.

from numpy import ndarray

from edge_sdk.kernels.checks import check_emissions


cdef const float[:, ::1] rows_of(object emissions, object n_tags):
    """Rows of checked shape (any number of tags if `n_tags` is None); the C function that reads them checks the values."""
    cdef const float[:, ::1] rows
    if isinstance(emissions, ndarray):
        try:
            rows = emissions
            if rows.shape[1] == n_tags if n_tags is not None else rows.shape[1] > 0:
                return rows
        except (ValueError, TypeError, BufferError):
            pass
    check_emissions(emissions, n_tags)  # passes what is only not contiguous
    rows = emissions.copy()
    return rows
