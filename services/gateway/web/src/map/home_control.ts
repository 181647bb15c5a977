import type maplibregl from "maplibre-gl";

/** A button below the zoom buttons that shows the whole city. */
export class HomeControl implements maplibregl.IControl {
  private readonly element = document.createElement("div");

  constructor(private readonly goHome: () => void) {}

  onAdd(): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "home-button";
    button.title = "Show the whole city";
    button.setAttribute("aria-label", button.title);
    button.addEventListener("click", this.goHome);
    this.element.className = "maplibregl-ctrl maplibregl-ctrl-group";
    this.element.append(button);
    return this.element;
  }

  onRemove(): void {
    this.element.remove();
  }
}
