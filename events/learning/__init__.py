"""What is learnt from how cases of cameras were closed: precision, masks, the evaluation set, the nightly report."""
