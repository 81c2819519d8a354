"""XLSForm workbooks in and out: every problem at once, by sheet, row and column."""
