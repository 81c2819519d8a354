"""The catalogue of data sets (政务数据目录): what may be shared, with whom, until when, and in which state it is."""
