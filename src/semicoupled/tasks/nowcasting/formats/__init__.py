"""The formats of radar files, one a module; `semicoupled.tasks.nowcasting.reading` lists them."""
