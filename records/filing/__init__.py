"""Filings (数据填报): data sets by unit and period, approval upwards, roll-up."""
