"""What every family needs to train: loop, checkpoints, CRF, dropout, seeds."""
