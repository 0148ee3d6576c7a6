"""The piece without its paper: segmenters, trimap, matting, foreground colours. Refuses backgrounds and light."""
