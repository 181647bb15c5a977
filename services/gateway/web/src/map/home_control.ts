import type maplibregl from "maplibre-gl";

/** A button below the zoom's, which shows all of the city again. */
export class HomeControl implements maplibregl.IControl {
  private readonly element = document.createElement("div");

  constructor(private readonly goHome: () => void) {}

  onAdd(): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "home-button";
    button.title = "The whole city";
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
