"""The demo city: Erdao district of Changchun, official codes and outline, everything else generated and marked so."""
